#!/usr/bin/env python3
"""Posts what has happened to a study to a webhook: $WEBHOOK_URL, of Slack or of what takes the same JSON.

The address is the secret of such a hook, so it is read from the environment and never printed. A server's redirection is
followed nowhere.
"""
import json
import os
import sys
import urllib.error
import urllib.request

SECONDS = 20  # less than what tune gives this script, so that the reason is said


class NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def main():
    if not os.environ.get("WEBHOOK_URL"):
        sys.exit("WEBHOOK_URL is not set")
    with open(os.environ["TUNE_EVENT_FILE"]) as file:
        event = json.load(file)
    lines = [event["message"]]
    found = event.get("best") or event
    if found.get("parameters"):
        lines += [f"{name} = {json.dumps(value)}" for name, value in found["parameters"].items()]
    request = urllib.request.Request(
        os.environ["WEBHOOK_URL"],
        data=json.dumps({"text": "\n".join(lines)}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.build_opener(NoRedirection).open(request, timeout=SECONDS):
            pass
    except urllib.error.HTTPError as error:
        sys.exit(f"the webhook answered {error.code}")
    except OSError as error:
        sys.exit(f"the webhook was not reached: {getattr(error, 'reason', error)}")


if __name__ == "__main__":
    main()
