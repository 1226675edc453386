#include "tuner/http/token_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/descriptor.h"

namespace tune::http {
namespace {

constexpr std::size_t kTokenBytes = 32;

bool is_token(std::string_view text) {
  return text.size() == 2 * kTokenBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

[[noreturn]] void cannot(const char* what, const std::filesystem::path& file, int reason,
                         const std::string& cure) {
  throw Error(ExitCode::kEnvironment,
              std::string("cannot ") + what + " the token file " + visible_text(file.string()) + ": " +
                  std::strerror(reason),
              cure);
}

// Empty where there is no file.
std::string read_token(const std::filesystem::path& file, const std::string& cure) {
  const Descriptor opened(open_retrying(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  if (opened.get() < 0) {
    if (errno == ENOENT) return {};
    cannot("read", file, errno, cure);
  }
  struct stat status {};
  if (fstat(opened.get(), &status) != 0) cannot("read", file, errno, cure);
  if (!S_ISREG(status.st_mode))
    throw Error(ExitCode::kUsage, visible_text(file.string()) + " is no file that could hold a token", cure);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0 || (status.st_uid != geteuid() && geteuid() != 0))
    throw Error(ExitCode::kUsage,
                "the token file " + visible_text(file.string()) +
                    " is not this user's alone: whoever reads it may in",
                "chmod 600 it, or remove it so that a new token is drawn");
  char bytes[2 * kTokenBytes + 2];
  const ssize_t count = read(opened.get(), bytes, sizeof bytes);
  if (count < 0) cannot("read", file, errno, cure);
  std::string text(bytes, static_cast<std::size_t>(count));
  if (text.ends_with('\n')) text.pop_back();
  if (!is_token(text))
    throw Error(
        ExitCode::kUsage,
        "the token file " + visible_text(file.string()) + " does not hold a token (64 hexadecimal digits)",
        "remove it, so that one is drawn, or write one there: openssl rand -hex 32");
  return text;
}

// Writes it beside its place and links it there, so that of two programs that begin at once both read one
// token.
void make_token(const std::filesystem::path& file, const std::string& cure) {
  std::filesystem::path temporary = file;
  temporary += "." + random_digits(8);
  {
    Descriptor made(open_retrying(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (made.get() < 0) cannot("write", file, errno, cure);
    const std::string text = random_digits(kTokenBytes) + '\n';
    const bool is_whole = write(made.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int reason = is_whole ? 0 : errno;
    if (!is_whole || made.close() != 0) {
      unlink(temporary.c_str());
      cannot("write", file, reason != 0 ? reason : EIO, cure);
    }
  }
  const int linked = link(temporary.c_str(), file.c_str());
  const int reason = errno;
  unlink(temporary.c_str());
  if (linked != 0 && reason != EEXIST) cannot("write", file, reason, cure);
}

}  // namespace

std::string random_digits(std::size_t bytes) {
  std::vector<unsigned char> drawn(bytes);
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t count = getrandom(drawn.data() + done, bytes - done, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      throw Error(ExitCode::kEnvironment,
                  std::string("the system gives no random bytes for a token: ") + std::strerror(errno));
    done += static_cast<std::size_t>(count);
  }
  std::string text;
  for (const unsigned char byte : drawn) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string token_of(const std::filesystem::path& file, const std::string& cure) {
  std::string token = read_token(file, cure);
  if (!token.empty()) return token;
  make_token(file, cure);
  token = read_token(file, cure);
  TUNE_CHECK(!token.empty(), file.string());
  return token;
}

bool is_same_secret(std::string_view one, std::string_view other) {
  // The length of a secret is no secret.
  if (one.size() != other.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < one.size(); ++i)
    difference = static_cast<unsigned char>(difference | (one[i] ^ other[i]));
  return difference == 0;
}

}  // namespace tune::http
