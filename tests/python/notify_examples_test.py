"""The scripts of examples/notify/, each against a stand-in for what it talks to."""
import http.server
import json
import os
import pathlib
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples" / "notify"
EVENT = {"schema": 1, "event": "finished", "study": "steel", "message": "steel has finished: best trial 3",
         "best": {"trial": 3, "value": 0.5, "parameters": {"lr": 0.01}}}


class MailServer(socketserver.StreamRequestHandler):
    """As much of SMTP as one mail needs (RFC 5321)."""

    def handle(self):
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            command = line.upper()
            if command == "DATA":
                self.say("354 go on")
                while (text := self.rfile.readline().decode()).strip() != ".":
                    self.server.mail.append(text.rstrip("\r\n"))
            elif command.startswith("QUIT"):
                return self.say("221 bye")
            elif command.startswith("RCPT"):
                self.server.recipients.append(line)
            self.say("250 ok")

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.answer)
        if self.server.answer == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


class NotifyExamples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "event.json").write_text(json.dumps(EVENT))

    def serve(self, server):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def run_script(self, name, **variables):
        environment = dict(os.environ, TUNE_EVENT=EVENT["event"], TUNE_MESSAGE=EVENT["message"], TUNE_STUDY="steel",
                           TUNE_EVENT_FILE=str(self.folder / "event.json"),
                           PATH=f"{self.folder}:{os.environ['PATH']}", **variables)
        return subprocess.run([sys.executable, EXAMPLES / name], env=environment, capture_output=True, text=True)

    def program(self, name, script):
        file = self.folder / name
        file.write_text("#!/bin/sh\n" + script)
        file.chmod(0o700)

    def test_mail_by_server(self):
        """A mail with the message and its details goes to the server that the environment names."""
        server = self.serve(socketserver.TCPServer(("127.0.0.1", 0), MailServer))
        server.mail, server.recipients = [], []
        ran = self.run_script("mail.py", MAIL_TO="ada@example.org", MAIL_FROM="tune@example.org", SMTP_HOST="127.0.0.1",
                              SMTP_PORT=str(server.server_address[1]))
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("Subject: tune: steel: finished", server.mail)
        self.assertIn(EVENT["message"], server.mail)
        self.assertEqual(len(server.recipients), 1)

    def test_mail_by_program(self):
        """Without a server the program sendmail gets the mail."""
        self.program("sendmail", f"cat > {self.folder}/mail\n")
        ran = self.run_script("mail.py", MAIL_TO="ada@example.org")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        mail = (self.folder / "mail").read_text()
        self.assertIn("To: ada@example.org", mail)
        self.assertIn('"lr": 0.01', mail)

    def test_mail_fails(self):
        """A mail that cannot be sent is a sentence and an exit code."""
        self.program("sendmail", "exit 3\n")
        ran = self.run_script("mail.py", MAIL_TO="ada@example.org")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("the mail was not sent", ran.stderr)
        self.assertIn("MAIL_TO is not set", self.run_script("mail.py", MAIL_TO="").stderr)

    def test_webhook(self):
        """The webhook gets the message and the best parameters as one text, once; no answer of it moves the secret on."""
        server = self.serve(http.server.HTTPServer(("127.0.0.1", 0), Webhook))
        server.bodies, server.answer = [], 200
        url = f"http://127.0.0.1:{server.server_address[1]}/T0/secret"
        ran = self.run_script("webhook.py", WEBHOOK_URL=url)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        path, body = server.bodies.pop()
        self.assertEqual(path, "/T0/secret")
        self.assertEqual(json.loads(body), {"text": EVENT["message"] + "\nlr = 0.01"})
        for server.answer in (302, 403):
            ran = self.run_script("webhook.py", WEBHOOK_URL=url)
            self.assertEqual(ran.returncode, 1)
            self.assertIn(f"the webhook answered {server.answer}", ran.stderr)
            self.assertNotIn("secret", ran.stderr)
        self.assertEqual(len(server.bodies), 2)

    def test_desktop(self):
        """notify-send gets a title and the message, which it cannot take for options."""
        self.program("notify-send", f'printf "%s\\n" "$@" > {self.folder}/shown\n')
        ran = self.run_script("desktop.py")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual((self.folder / "shown").read_text().splitlines()[-3:],
                         ["--", "tune: steel: finished", EVENT["message"]])


if __name__ == "__main__":
    unittest.main()
