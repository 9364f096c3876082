"""The course folder as nbgrader and the autograder both read it: instructors' notebooks, releases, and all that belongs to
a class below gradebook/, which is never committed."""

from pathlib import Path

c = get_config()
root = Path(__file__).resolve().parent

c.CourseDirectory.course_id = "clip"
c.CourseDirectory.root = str(root)
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.submitted_directory = "gradebook/submitted"
c.CourseDirectory.autograded_directory = "gradebook/autograded"
c.CourseDirectory.feedback_directory = "gradebook/feedback"
c.CourseDirectory.db_url = f"sqlite:///{root}/gradebook/gradebook.db"

# nbgrader's commands, its API and Formgrader's buttons grade and write feedback with this engine. These are import paths, so that
# nbgrader stops before it opens a submission if one cannot be imported. Without them it would run students' code unprotected.
c.Autograde.exporter_class = "autograder.native.converters.GradeExporter"
c.Autograde.sanitize_preprocessors = ["autograder.native.converters.Refuse"]
c.Autograde.autograde_preprocessors = ["autograder.native.converters.Refuse"]
c.GenerateFeedback.exporter_class = "autograder.native.converters.FeedbackExporter"
# `nbgrader validate` and the Validate button run a notebook in this kernel: the sandbox.
c.Execute.kernel_name = "autograder"

c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}

# Formgrader and nbgrader's feedback show what students wrote; nothing in it may run there.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {"markdown2html": "autograder.pages.formgrader.markdown"}
