// Leases between real processes: each test forks others that hold some.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <memory>
#include <vector>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "tuner/engine/devices/leases.h"

using namespace tune;
using namespace tune::engine;
using namespace tune::tests;

namespace {

// Another process, which does `work`, says so, and lives until it is killed. What it forks it may leave
// behind.
class Other {
 public:
  explicit Other(const std::function<void()>& work) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      work();
      static_cast<void>(::write(ends[1], "x", 1) == 0);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    char byte = 0;
    const ssize_t got = ::read(ends[0], &byte, 1);
    ::close(ends[0]);
    REQUIRE(got == 1);
  }
  ~Other() { kill(); }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  void kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};

struct LeaseFixture {
  TemporaryFolder folder;
  LeaseFolder leases{folder.path() / "leases"};

  // Holds a lease for as long as the process lives.
  static void hold(const LeaseFolder& leases, const std::string& gpu, int trials_per_gpu) {
    static std::vector<Lease> held;
    auto lease = leases.take(gpu, trials_per_gpu);
    if (!lease) ::_exit(1);
    held.push_back(std::move(*lease));
  }
};

}  // namespace

TEST_CASE_METHOD(LeaseFixture, "a slot that another process holds is taken, and free once it is killed") {
  Other other([&] { hold(leases, "GPU-1", 1); });
  CHECK(leases.claims("GPU-1", 1).free == 0);
  CHECK(leases.claims("GPU-1", 1).is_leased);
  CHECK_FALSE(leases.take("GPU-1", 1));
  CHECK(leases.claims("GPU-2", 1).free == 1);
  other.kill();
  CHECK(leases.claims("GPU-1", 1).free == 1);
  CHECK_FALSE(leases.claims("GPU-1", 1).is_leased);
  CHECK(leases.take("GPU-1", 1));
}

TEST_CASE_METHOD(LeaseFixture, "a slot stays taken until the last process that inherited it is gone") {
  const std::string file = folder.path() / "grandchild";
  Other parent([&] {
    hold(leases, "GPU-1", 1);
    if (::fork() == 0) {
      // A daemon: another session, another parent, and the lease's descriptor as it was.
      ::setsid();
      if (::fork() != 0) ::_exit(0);
      const auto argv = chaos({"pid-file", file, "hang"});
      std::vector<char*> pointers;
      for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
      pointers.push_back(nullptr);
      for (int fd = 3; fd < 64; ++fd) ::fcntl(fd, F_SETFD, 0);
      ::execv(pointers[0], pointers.data());
      ::_exit(1);
    }
  });
  const pid_t grandchild = pid_in(file);
  parent.kill();
  REQUIRE(is_running(grandchild));
  CHECK(leases.claims("GPU-1", 1).free == 0);
  CHECK_FALSE(leases.take("GPU-1", 1));
  ::kill(grandchild, SIGKILL);
  wait_until([&] { return leases.claims("GPU-1", 1).free == 1; }, "the lease is free");
}

TEST_CASE_METHOD(LeaseFixture, "a program that was not given the descriptor does not hold the lease") {
  auto lease = leases.take("GPU-1", 1);
  REQUIRE(lease);
  const std::string file = folder.path() / "pid";
  const pid_t child = ::fork();
  if (child == 0) {
    const auto argv = chaos({"pid-file", file, "hang"});
    ::execl(argv[0].c_str(), argv[0].c_str(), "pid-file", file.c_str(), "hang", nullptr);
    ::_exit(1);
  }
  pid_in(file);
  lease.reset();
  CHECK(leases.claims("GPU-1", 1).free == 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_CASE_METHOD(LeaseFixture,
                 "processes with equal trials_per_gpu share a GPU, and each slot is given once") {
  std::vector<std::unique_ptr<Other>> others;
  for (int i = 0; i < 3; ++i) {
    CHECK(leases.claims("GPU-1", 3).free == 3 - i);
    others.push_back(std::make_unique<Other>([&] { hold(leases, "GPU-1", 3); }));
  }
  CHECK_FALSE(leases.take("GPU-1", 3));
  others[1]->kill();
  const auto ours = leases.take("GPU-1", 3);
  CHECK(ours);
  CHECK(leases.claims("GPU-1", 3).free == 0);
}

TEST_CASE_METHOD(LeaseFixture,
                 "a process with other trials_per_gpu gets no slot of a GPU in use, and is told why") {
  Other other([&] { hold(leases, "GPU-1", 4); });
  const GpuClaims claims = leases.claims("GPU-1", 2);
  CHECK(claims.free == 0);
  CHECK(claims.other_split == 4);
  CHECK_FALSE(leases.take("GPU-1", 2));
  // A UUID that begins alike is another GPU.
  CHECK(leases.claims("GPU-12", 2).free == 2);
  other.kill();
  CHECK_FALSE(leases.claims("GPU-1", 2).other_split);
  CHECK(leases.take("GPU-1", 2));
}

TEST_CASE_METHOD(LeaseFixture, "a name with slashes is one file, and no other GPU's") {
  Other other([&] { hold(leases, "MIG-GPU-1/2/0", 1); });
  CHECK(leases.claims("MIG-GPU-1/2/0", 1).free == 0);
  for (const char* free : {"MIG-GPU-1/2/1", "MIG-GPU-1", "MIG-GPU-1%2F2%2F0"}) {
    INFO(free);
    CHECK(leases.claims(free, 1).free == 1);
    CHECK(leases.take(free, 1));
  }
}

TEST_CASE_METHOD(LeaseFixture,
                 "cores that another process holds are taken, one by one, and free once it is killed") {
  Other other([&] {
    static const auto held = leases.take_cores({0, 2});
    if (!held) ::_exit(1);
  });
  CHECK_FALSE(leases.take_cores({1, 2}));
  CHECK_FALSE(leases.take_cores({0}));
  const auto ours = leases.take_cores({1, 3, 300});
  REQUIRE(ours);
  CHECK_FALSE(leases.take_cores({3}));  // nor twice by one process
  other.kill();
  CHECK(leases.take_cores({0, 2}));
}

TEST_CASE_METHOD(LeaseFixture, "of many processes that reach for one slot at once exactly one gets it") {
  constexpr int kProcesses = 8, kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    int go[2], done[2];
    REQUIRE(::pipe2(go, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(done, O_CLOEXEC) == 0);
    std::vector<pid_t> children;
    for (int i = 0; i < kProcesses; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::close(go[1]);
        char byte = 0;
        static_cast<void>(::read(go[0], &byte, 1) == 0);  // the end of the pipe is the start
        const auto lease = leases.take("GPU-1", 1);
        const char answer = lease ? 'y' : 'n';
        static_cast<void>(::write(done[1], &answer, 1) == 0);
        for (;;) ::pause();  // and keeps it
      }
      children.push_back(child);
    }
    ::close(go[1]);
    int winners = 0;
    for (int i = 0; i < kProcesses; ++i) {
      char answer = 0;
      REQUIRE(::read(done[0], &answer, 1) == 1);
      winners += answer == 'y';
    }
    CHECK(winners == 1);
    for (const pid_t child : children) ::kill(child, SIGKILL);
    for (const pid_t child : children) ::waitpid(child, nullptr, 0);
    for (const int fd : {go[0], done[0], done[1]}) ::close(fd);
  }
}

TEST_CASE_METHOD(LeaseFixture, "the folder is open to every user, and a file in its place is an error") {
  struct stat info {};
  REQUIRE(::stat(leases.path().c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 01777);
  const std::string file = folder.path() / "file";
  std::ofstream(file) << "";
  CHECK_THROWS_WITH(LeaseFolder(file),
                    Catch::Matchers::Contains("TUNE_LEASE_DIR") || Catch::Matchers::Contains("not a folder"));
}
