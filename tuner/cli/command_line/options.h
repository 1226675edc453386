#pragma once
// The options of one command: declared, parsed (Boost.Program_options), and shown by --help, in one place.
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/cli/command_line/command_line.h"

namespace tune::cli {

// What the command line said. Asking for an option that was not declared is a broken invariant.
class Parsed {
 public:
  Parsed(Parsed&&) noexcept;
  ~Parsed();
  bool has(const std::string& name) const;          // a flag was given, or a value
  std::string text(const std::string& name) const;  // of a value or positional; "" when it was not given
  const std::vector<std::string>& texts(const std::string& name) const;  // of a repeated one
  // nullopt when it was not given. Throw Error(kUsage), which names the option and the range, for what is no
  // number between `least` and `most`.
  std::optional<std::int64_t> integer(const std::string& name, std::int64_t least = 1,
                                      std::int64_t most = std::numeric_limits<std::int64_t>::max()) const;
  std::optional<double> number(const std::string& name, double least, double most) const;

 private:
  friend class Options;
  Parsed();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Declares a command's options. Owned by the command's function. --help, --json and those of every command
// come by themselves.
class Options {
 public:
  // The command's name in the table of `line`, which outlives this.
  Options(const CommandLine& line, std::string_view command);
  ~Options();
  Options& add(Option option);
  Options& flag(const std::string& name, const std::string& help);
  Options& value(const std::string& name, const std::string& placeholder, const std::string& help);
  // What --json prints; "": there is no --json.
  Options& json(const std::string& help);
  // A variable of the environment that the command heeds, for --help.
  Options& variable(const std::string& name, const std::string& help);
  // In the order of declaration; no required one comes after an optional one.
  // Without a help it is not listed: what it is stands with one before it.
  Options& positional(const std::string& name, const std::string& help, bool required = true);

  // nullopt when --help was asked for and printed: the command returns 0 then. Error(kUsage) for an unknown
  // option (with the nearest one), a missing or a surplus argument.
  std::optional<Parsed> parse(const Arguments& arguments, Console& console) const;
  void print_help(std::ostream& out) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tune::cli
