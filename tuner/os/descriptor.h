#pragma once
// The owner of a file descriptor.
#include <sys/types.h>

#include <filesystem>
#include <utility>

namespace tune {

// An open descriptor, closed at the end of its scope. -1: none.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return number_; }
  // Gives it away: the caller closes it.
  int release() { return std::exchange(number_, -1); }
  // What close(2) answers; 0 where there is none.
  int close();

 private:
  int number_;
};

// open(2) with O_CLOEXEC, again where a signal interrupts it. -1 with errno where it fails.
int open_retrying(const std::filesystem::path& path, int flags, mode_t mode = 0);

}  // namespace tune
