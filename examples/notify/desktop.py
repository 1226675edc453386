#!/usr/bin/env python3
"""Shows what has happened to a study on the desktop, by the program notify-send (libnotify)."""
import os
import subprocess
import sys

SECONDS = 20


def main():
    event, message = os.environ["TUNE_EVENT"], os.environ["TUNE_MESSAGE"]
    urgency = "critical" if event == "failed" else "normal"
    title = f"tune: {os.environ['TUNE_STUDY']}: {event}"
    subprocess.run(["notify-send", f"--urgency={urgency}", "--app-name=tune", "--", title, message],
                   check=True, timeout=SECONDS)


if __name__ == "__main__":
    try:
        main()
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f"nothing was shown: {error}")
