#pragma once
// Fingerprints of files and data sets: data, scripts, models.
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace tune {

// SHA-256 (FIPS 180-4) of bytes that arrive in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  std::string hex();  // ends the hash: 64 lower-case hexadecimal digits

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

// The hash of a file's bytes, as Sha256::hex gives it. Throws Error(kEnvironment) when it cannot be read.
std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace tune
