"""The LMS, there and back: submissions from its export, feedback and grades into the files that it takes."""
