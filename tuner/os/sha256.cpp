#include "tuner/os/sha256.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/os/descriptor.h"
#include "tuner/os/regular_file.h"

namespace tune {

Sha256::Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  TUNE_CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  TUNE_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  TUNE_CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), &length) == 1);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < length; ++i) text += {kDigits[digest[i] >> 4], kDigits[digest[i] & 15]};
  return text;
}

std::string sha256_of_file(const std::filesystem::path& file) {
  const OpenedFile opened = open_regular_file(file, Links::kFollow);
  const Descriptor descriptor(opened.descriptor);
  if (opened.descriptor < 0)
    throw Error(ExitCode::kEnvironment,
                opened.spoilt.empty() ? "cannot read \"" + file.string() + "\": " + std::strerror(ENOENT)
                                      : opened.spoilt);
  Sha256 hash;
  std::vector<char> buffer(1 << 20);
  for (;;) {
    const ssize_t got = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Error(ExitCode::kEnvironment,
                  "cannot read \"" + file.string() + "\" to its end: " + std::strerror(errno));
    if (got == 0) return hash.hex();
    hash.add({buffer.data(), static_cast<std::size_t>(got)});
  }
}

}  // namespace tune
