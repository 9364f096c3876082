"""Lets `pip install -e` install the data files that pyproject.toml names, as `pip install` does."""

from setuptools import Distribution, setup


class WithDataFiles(Distribution):
    """setuptools 84 asks an editable distribution `has_data`, which it does not define, and so leaves data files out."""

    has_data = Distribution.has_data_files


setup(distclass=WithDataFiles)
