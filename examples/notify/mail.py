#!/usr/bin/env python3
"""Sends an e-mail about what has happened to a study.

$MAIL_TO is who gets it; $MAIL_FROM is whom it is from [$MAIL_TO]. With $SMTP_HOST it goes to that server, over TLS where
$SMTP_TLS is starttls or ssl [none], as $SMTP_USER with $SMTP_PASSWORD where there is a user; else to the program sendmail.
"""
import email.message
import json
import os
import smtplib
import ssl
import subprocess
import sys

SECONDS = 20  # less than what tune gives this script, so that the reason is said


def message():
    with open(os.environ["TUNE_EVENT_FILE"]) as file:
        event = json.load(file)
    mail = email.message.EmailMessage()
    mail["To"] = os.environ["MAIL_TO"]
    mail["From"] = os.environ.get("MAIL_FROM", os.environ["MAIL_TO"])
    mail["Subject"] = f"tune: {event.get('study', event.get('comparison'))}: {event['event']}"
    lines = [event["message"], ""]
    lines += [f"{name}: {json.dumps(value)}" for name, value in event.items() if name not in ("schema", "message")]
    mail.set_content("\n".join(lines) + "\n")
    return mail


def send_to_server(mail):
    tls = os.environ.get("SMTP_TLS", "none")
    if tls not in ("none", "starttls", "ssl"):
        sys.exit(f"SMTP_TLS is {tls!r}, and must be none, starttls or ssl")
    host, port = os.environ["SMTP_HOST"], int(os.environ.get("SMTP_PORT", "0"))
    if tls == "ssl":
        server = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(host, port, timeout=SECONDS)
    with server:
        if tls == "starttls":
            server.starttls(context=ssl.create_default_context())
        if os.environ.get("SMTP_USER"):
            server.login(os.environ["SMTP_USER"], os.environ.get("SMTP_PASSWORD", ""))
        server.send_message(mail)


def main():
    if not os.environ.get("MAIL_TO"):
        sys.exit("MAIL_TO is not set: whom is the mail for?")
    mail = message()
    if os.environ.get("SMTP_HOST"):
        send_to_server(mail)
    else:
        subprocess.run(["sendmail", "-t", "-i"], input=mail.as_bytes(), check=True, timeout=SECONDS)


if __name__ == "__main__":
    try:
        main()
    except (OSError, smtplib.SMTPException, subprocess.SubprocessError) as error:
        sys.exit(f"the mail was not sent: {error}")
