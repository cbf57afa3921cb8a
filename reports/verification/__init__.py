"""What shows a verification (the document of ``harness.verification``) to people and machines: functions ``(document) -> str``.

rows                the words that all of them share
terminal            the matrix and what is to be said of it, with rich
summary             Markdown, as GitHub shows it beside a job
junit sarif github  for machines that collect test results, findings, annotations
page                one self-contained page of HTML
document            the document itself
"""
