#pragma once
// A .tar.gz whose bytes depend on nothing but the names and contents of its files.
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tune::archive {

// Writes the archive beside its place and puts it there whole at the end: until then, and after an error,
// what lay there before still does. Every entry is a file, of the time 0 and of no owner, and the header of
// gzip holds neither name nor time; the caller gives the files in their order. Owned by one function.
class TarWriter {
 public:
  // Throws Error(kEnvironment).
  explicit TarWriter(const std::filesystem::path& output);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  // A file of that content.
  void add(const std::string& name, std::string_view content);
  // A file of `bytes` bytes, which `read` gives in pieces to the function that it gets; it must give as many.
  using Give = std::function<void(std::string_view piece)>;
  void add(const std::string& name, std::uint64_t bytes, bool is_program,
           const std::function<void(const Give& give)>& read);
  void commit();  // the last call

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tune::archive
