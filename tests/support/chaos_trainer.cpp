// A trainer that misbehaves as it is told: a list of acts and their arguments, one after the other.
//
//   chaos_trainer print "loss=0.5\n" flood 1000000 ignore-term sleep 100 exit 3
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

extern char** environ;

namespace {

using Arguments = std::vector<std::string>;

void sleep_ms(long milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

[[noreturn]] void sleep_for_ever() {
  for (;;) ::pause();
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0) ::_exit(111);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// "\n", "\r", "\0" and "\\" as in C; "\x" is the byte 255, which is no UTF-8.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    const char c = text[++i];
    result += c == 'n' ? '\n' : c == 'r' ? '\r' : c == '0' ? '\0' : c == 'x' ? '\xff' : c;
  }
  return result;
}

void flood(long bytes) {
  std::string block;
  while (block.size() < 65536)
    block +=
        "the quick brown fox prints a line of its log and another one " + std::to_string(block.size()) + "\n";
  for (long done = 0; done < bytes; done += static_cast<long>(block.size())) write_all(1, block);
}

void endless_line(long bytes) {
  const std::string block(1 << 16, 'x');
  for (long done = 0; done < bytes; done += static_cast<long>(block.size())) write_all(1, block);
}

void print_metrics(long count) {
  std::string block;
  for (long i = 1; i <= count; ++i) {
    block += "TUNE_METRIC {\"name\":\"loss\",\"value\":0.5,\"step\":" + std::to_string(i) + "}\n";
    if (block.size() > 60000 || i == count) write_all(1, block), block.clear();
  }
}

void write_pid(const std::string& file) {
  std::FILE* out = std::fopen((file + ".part").c_str(), "w");
  if (!out) ::_exit(112);
  std::fprintf(out, "%d\n", ::getpid());
  std::fclose(out);
  ::rename((file + ".part").c_str(), file.c_str());
}

void wait_for_file(const std::string& file) {
  while (::access(file.c_str(), F_OK) != 0) sleep_ms(1);
}

// A child that stays; its pid goes to a file once it has done what makes it hard to find.
void leave_child(const std::string& file, bool ignores_term) {
  if (::fork() == 0) {
    if (ignores_term) ::signal(SIGTERM, SIG_IGN);
    write_pid(file);
    sleep_for_ever();
  }
  wait_for_file(file);
}

// A daemon: two forks and a session of its own, standard streams closed; on request without an environment,
// too.
void leave_daemon(const std::string& file, bool empties_environment) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    for (int fd = 0; fd < 3; ++fd) ::close(fd);
    ::signal(SIGTERM, SIG_IGN);
    if (empties_environment) {
      char* argv[] = {const_cast<char*>("chaos_trainer"), const_cast<char*>("pid-file"),
                      const_cast<char*>(file.c_str()),    const_cast<char*>("ignore-term"),
                      const_cast<char*>("hang"),          nullptr};
      char* envp[] = {nullptr};
      ::execve("/proc/self/exe", argv, envp);
    }
    write_pid(file);
    sleep_for_ever();
  }
  ::waitpid(child, nullptr, 0);
  wait_for_file(file);
}

void print_descriptors() {
  DIR* folder = ::opendir("/proc/self/fd");
  std::string text = "fds:";
  while (const dirent* entry = ::readdir(folder))
    if (entry->d_name[0] != '.' && std::atoi(entry->d_name) != ::dirfd(folder))
      text += " " + std::string(entry->d_name);
  ::closedir(folder);
  write_all(1, text + "\n");
}

void print_signals() {
  sigset_t mask;
  ::sigprocmask(SIG_BLOCK, nullptr, &mask);
  std::string text = "blocked:";
  for (int signal = 1; signal < NSIG; ++signal)
    if (sigismember(&mask, signal) == 1) text += " " + std::to_string(signal);
  text += "\nignored:";
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      text += " " + std::to_string(signal);
  }
  write_all(1, text + "\n");
}

volatile sig_atomic_t term_code = 0;

struct Act {
  int arguments;
  std::function<void(const Arguments&)> run;
};

const std::map<std::string, Act>& acts() {
  static const std::map<std::string, Act> table{
      {"print", {1, [](const Arguments& a) { write_all(1, unescaped(a[0])); }}},
      {"print-error", {1, [](const Arguments& a) { write_all(2, unescaped(a[0])); }}},
      {"flood", {1, [](const Arguments& a) { flood(std::atol(a[0].c_str())); }}},
      {"endless-line", {1, [](const Arguments& a) { endless_line(std::atol(a[0].c_str())); }}},
      {"metrics", {1, [](const Arguments& a) { print_metrics(std::atol(a[0].c_str())); }}},
      {"sleep", {1, [](const Arguments& a) { sleep_ms(std::atol(a[0].c_str())); }}},
      {"hang", {0, [](const Arguments&) { sleep_for_ever(); }}},
      {"wait-for", {1, [](const Arguments& a) { wait_for_file(a[0]); }}},
      {"ignore-term", {0, [](const Arguments&) { ::signal(SIGTERM, SIG_IGN); }}},
      {"exit-on-term",
       {1,
        [](const Arguments& a) {
          term_code = std::atoi(a[0].c_str());
          ::signal(SIGTERM, [](int) { ::_exit(term_code); });
        }}},
      {"pid-file", {1, [](const Arguments& a) { write_pid(a[0]); }}},
      {"child", {1, [](const Arguments& a) { leave_child(a[0], false); }}},
      {"stubborn-child", {1, [](const Arguments& a) { leave_child(a[0], true); }}},
      {"daemon", {1, [](const Arguments& a) { leave_daemon(a[0], false); }}},
      {"bare-daemon", {1, [](const Arguments& a) { leave_daemon(a[0], true); }}},
      {"close-output", {0, [](const Arguments&) { ::close(1), ::close(2); }}},
      {"exit", {1, [](const Arguments& a) { ::_exit(std::atoi(a[0].c_str())); }}},
      {"crash", {0, [](const Arguments&) { ::signal(SIGSEGV, SIG_DFL), ::raise(SIGSEGV); }}},
      {"kill-self", {0, [](const Arguments&) { ::raise(SIGKILL); }}},
      {"stop-self", {0, [](const Arguments&) { ::raise(SIGSTOP); }}},
      {"burn",
       {1,
        [](const Arguments& a) {
          const auto end =
              std::chrono::steady_clock::now() + std::chrono::milliseconds(std::atol(a[0].c_str()));
          while (std::chrono::steady_clock::now() < end) {
          }
        }}},
      {"environment",
       {1,
        [](const Arguments& a) {
          const char* value = std::getenv(a[0].c_str());
          write_all(1, a[0] + "=" + (value ? value : "(unset)") + "\n");
        }}},
      {"descriptors", {0, [](const Arguments&) { print_descriptors(); }}},
      {"signals", {0, [](const Arguments&) { print_signals(); }}},
      {"groups",
       {0,
        [](const Arguments&) {
          write_all(1, std::string("leads its group: ") + (::getpgrp() == ::getpid() ? "yes" : "no") + "\n");
        }}},
      {"cores",
       {0,
        [](const Arguments&) {
          cpu_set_t set;
          CPU_ZERO(&set);
          ::sched_getaffinity(0, sizeof set, &set);
          write_all(1, "cores: " + std::to_string(CPU_COUNT(&set)) + "\n");
        }}},
      {"read-input",
       {0,
        [](const Arguments&) {
          char byte = 0;
          write_all(1, ::read(0, &byte, 1) == 0 ? "input is empty\n" : "input holds something\n");
        }}},
      {"working-directory",
       {0,
        [](const Arguments&) {
          char path[4096];
          write_all(1, std::string("in ") + (::getcwd(path, sizeof path) ? path : "?") + "\n");
        }}},
  };
  return table;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc;) {
    const auto act = acts().find(argv[i]);
    if (act == acts().end() || i + act->second.arguments >= argc) {
      std::fprintf(stderr, "chaos_trainer: cannot do \"%s\"\n", argv[i]);
      return 110;
    }
    const int count = act->second.arguments;
    act->second.run(Arguments(argv + i + 1, argv + i + 1 + count));
    i += 1 + count;
  }
  return 0;
}
