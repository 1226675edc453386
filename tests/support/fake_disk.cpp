// Preloaded (LD_PRELOAD) into a program, it makes the disk below $TUNE_FAKE_DISK another than it is:
// $TUNE_FAKE_DISK_TYPE is what statfs() says of it (hexadecimal), and while the file
// $TUNE_FAKE_DISK_READ_ONLY exists nothing on it can be written, as after an error of the disk
// (errors=remount-ro); with $TUNE_FAKE_DISK_KEEPS_FLAG statvfs() does not tell, as under newer kernels.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool is_below(const char* path) {
  const char* folder = std::getenv("TUNE_FAKE_DISK");
  return folder && std::strncmp(path, folder, std::strlen(folder)) == 0;
}

bool is_read_only(const char* path) {
  const char* flag = std::getenv("TUNE_FAKE_DISK_READ_ONLY");
  if (!flag || !is_below(path) || ::access(flag, F_OK) != 0) return false;
  errno = EROFS;
  return true;
}

bool is_read_only(int fd) {
  char link[64], path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = ::readlink(link, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = 0;
  return is_read_only(path);
}

template <typename Call>
int opened(const char* path, int flags, Call call) {
  const bool writes = (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0;
  return writes && is_read_only(path) ? -1 : call();
}

}  // namespace

extern "C" {

int statfs(const char* path, struct statfs* facts) {
  const int result = real<int(const char*, struct statfs*)>("statfs")(path, facts);
  const char* type = std::getenv("TUNE_FAKE_DISK_TYPE");
  if (result == 0 && type && is_below(path))
    facts->f_type = static_cast<decltype(facts->f_type)>(std::strtoul(type, nullptr, 16));
  return result;
}

int statvfs(const char* path, struct statvfs* facts) {
  const int result = real<int(const char*, struct statvfs*)>("statvfs")(path, facts);
  if (result == 0 && !std::getenv("TUNE_FAKE_DISK_KEEPS_FLAG") && is_read_only(path))
    facts->f_flag |= ST_RDONLY;
  return result;
}

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return opened(path, flags, [&] { return real<int(const char*, int, mode_t)>("open")(path, flags, mode); });
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return opened(path, flags,
                [&] { return real<int(const char*, int, mode_t)>("open64")(path, flags, mode); });
}

ssize_t write(int fd, const void* bytes, size_t count) {
  return is_read_only(fd) ? -1 : real<ssize_t(int, const void*, size_t)>("write")(fd, bytes, count);
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  return is_read_only(fd) ? -1
                          : real<ssize_t(int, const void*, size_t, off_t)>("pwrite")(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t at) {
  return is_read_only(fd)
             ? -1
             : real<ssize_t(int, const void*, size_t, off64_t)>("pwrite64")(fd, bytes, count, at);
}

int mkdir(const char* path, mode_t mode) {
  return is_read_only(path) ? -1 : real<int(const char*, mode_t)>("mkdir")(path, mode);
}

int rename(const char* from, const char* to) {
  return is_read_only(to) ? -1 : real<int(const char*, const char*)>("rename")(from, to);
}
}
