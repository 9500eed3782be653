"""The report: a recording told as pictures, tables and transcripts, in one HTML file or piece by piece."""
