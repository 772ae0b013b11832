"""What the door refuses before a submission exists, each with its stable code; faults of the data are findings."""

from collections.abc import Sequence

from shared.errors import Fault, Forbidden, Invalid, Malformed, NotFound, TooLarge, Unavailable, UnsupportedMedia

_RETRY = {"Retry-After": "5"}


def wrong_media(seen: str) -> UnsupportedMedia:
    expected = "application/json, or multipart/form-data with a CSV or XLSX file"
    return UnsupportedMedia(
        "unsupported_media", f"Send {expected}.", [Fault("header:Content-Type", "unsupported_media", seen, expected)]
    )


def empty() -> Malformed:
    return Malformed("empty_submission", "There is nothing in it.", [Fault("", "empty", "0 bytes", "a filled table")])


def not_json(seen: str) -> Malformed:
    return Malformed("not_json", "The body is not valid JSON.", [Fault("", "not_json", seen, "JSON (RFC 8259), UTF-8")])


def not_multipart(seen: str) -> Malformed:
    fault = Fault("", "not_multipart", seen, "fields report, period, org and one file")
    return Malformed("not_multipart", "The form cannot be read.", [fault])


def too_many_rows(rows: int, most: int) -> TooLarge:
    fault = Fault("/rows", "too_many_rows", rows, f"at most {most} rows")
    return TooLarge("too_many_rows", "File the table in parts.", [fault])


def too_large_to_judge() -> TooLarge:
    return TooLarge("too_large_to_judge", "Reading it takes more memory than a judge may use; file it in parts.")


def bad_envelope(faults: Sequence[Fault]) -> Invalid:
    return Invalid("bad_envelope", "Correct report, period, org and rows as named in errors.", faults)


def out_of_reach(org: str) -> Forbidden:
    fault = Fault("/org", "out_of_reach", org, "your own unit, or one that your role reaches")
    return Forbidden("org_out_of_reach", "You cannot file for this institution.", [fault])


def report_not_allowed(report: str) -> Forbidden:
    fault = Fault("/report", "report_not_allowed", report, "a report that the key is for")
    return Forbidden("report_not_allowed", "Your key is not for this report.", [fault])


def no_submission() -> NotFound:
    """There is none, told as if it were out of reach, and the other way round."""
    return NotFound("not_found", "There is no such record, or it is not yours to see.")


def erased() -> NotFound:
    return NotFound("content_erased", "What this submission quoted was erased with its key.")


def no_such_rule(rule: str) -> Invalid:
    fault = Fault("query:rule", "no_such_rule", rule, "a rule of the submission's `rules`")
    return Invalid("no_such_rule", "No finding of this submission is of that rule.", [fault])


def judges_busy() -> Unavailable:
    return Unavailable("judges_busy", "All judges are at work; nothing was stored. Try again.", headers=_RETRY)


def judge_lost() -> Unavailable:
    return Unavailable("judge_lost", "The judging process ended early; nothing was stored. Try again.", headers=_RETRY)


def bad_cursor(cursor: str) -> Invalid:
    fault = Fault("query:cursor", "bad_cursor", cursor[:80], "next_cursor of the page before, unchanged")
    return Invalid("bad_cursor", "Start again without a cursor.", [fault])
