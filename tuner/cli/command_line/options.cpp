#include "tuner/cli/command_line/options.h"

#include <algorithm>
#include <boost/any.hpp>
#include <boost/program_options.hpp>
#include <charconv>
#include <map>
#include <ostream>
#include <set>

#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::cli {
namespace po = boost::program_options;

struct Parsed::Impl {
  std::map<std::string, std::vector<std::string>> given;
  std::set<std::string> declared;
};

Parsed::Parsed() : impl_(std::make_unique<Impl>()) {}
Parsed::Parsed(Parsed&&) noexcept = default;
Parsed::~Parsed() = default;

namespace {

template <typename Number>
Number number_in(const std::string& name, const std::string& text, Number least, Number most,
                 const std::string& wanted) {
  Number number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || !(number >= least && number <= most))
    throw Error(ExitCode::kUsage, "--" + name + " takes " + wanted + ", not \"" + text + "\"");
  return number;
}

}  // namespace

bool Parsed::has(const std::string& name) const {
  TUNE_CHECK(impl_->declared.count(name) == 1, name);
  return impl_->given.count(name) == 1;
}

std::string Parsed::text(const std::string& name) const {
  return has(name) && !impl_->given.at(name).empty() ? impl_->given.at(name).front() : std::string();
}

const std::vector<std::string>& Parsed::texts(const std::string& name) const {
  static const std::vector<std::string> none;
  return has(name) ? impl_->given.at(name) : none;
}

std::optional<std::int64_t> Parsed::integer(const std::string& name, std::int64_t least,
                                            std::int64_t most) const {
  if (!has(name)) return std::nullopt;
  const std::string given = text(name);
  std::int64_t ignored = 0;
  const bool is_too_long = std::from_chars(given.data(), given.data() + given.size(), ignored).ec ==
                           std::errc::result_out_of_range;
  const bool is_open = most == std::numeric_limits<std::int64_t>::max() && !is_too_long;
  return number_in(
      name, given, least, most,
      "a whole number from " + std::to_string(least) + (is_open ? " on" : " to " + std::to_string(most)));
}

std::optional<double> Parsed::number(const std::string& name, double least, double most) const {
  if (!has(name)) return std::nullopt;
  return number_in(name, text(name), least, most,
                   "a number from " + shortest(least) + " to " + shortest(most));
}

struct Options::Impl {
  struct Row {
    std::string name, help;
    bool required = true;
  };
  const CommandLine& line;
  std::string command;
  std::vector<Row> positionals;
  std::vector<Option> options;  // the command's own
  std::vector<Row> variables;   // of the environment
  std::string json = "print JSON with a schema version";

  // Its own options first, then those of every command.
  std::vector<Option> all() const {
    std::vector<Option> list = options;
    list.insert(list.end(), line.common.begin(), line.common.end());
    if (!json.empty()) list.push_back({"json", "", json});
    list.push_back({"help,h", "", "show this text"});
    return list;
  }
  po::options_description description() const {
    po::options_description description("Options", 100);
    for (const Option& option : all()) {
      const char* name = option.name.c_str();
      const char* help = option.help.c_str();
      if (option.placeholder.empty()) {
        description.add_options()(name, help);
      } else if (option.repeated) {
        description.add_options()(name, po::value<std::vector<std::string>>()->value_name(option.placeholder),
                                  help);
      } else {
        auto* value = po::value<std::string>()->value_name(option.placeholder);
        if (!option.default_value.empty()) value->default_value(option.default_value);
        description.add_options()(name, value, help);
      }
    }
    return description;
  }
  std::vector<std::string> names() const {  // without the dashes
    std::vector<std::string> list;
    for (const Option& option : all()) list.push_back(option.name.substr(0, option.name.find(',')));
    return list;
  }
  bool is_flag(const std::string& name) const {
    const std::vector<Option> list = all();
    return std::any_of(list.begin(), list.end(), [&](const Option& option) {
      return option.placeholder.empty() && option.name.substr(0, option.name.find(',')) == name;
    });
  }
  std::string hint() const { return "see `" + std::string(line.program) + " " + command + " --help`"; }
};

Options::Options(const CommandLine& line, std::string_view command)
    : impl_(new Impl{line, std::string(command), {}, {}, {}}) {}
Options::~Options() = default;

Options& Options::add(Option option) {
  impl_->options.push_back(std::move(option));
  return *this;
}

Options& Options::flag(const std::string& name, const std::string& help) { return add({name, "", help}); }

Options& Options::value(const std::string& name, const std::string& placeholder, const std::string& help) {
  return add({name, placeholder, help});
}

Options& Options::json(const std::string& help) {
  impl_->json = help;
  return *this;
}

Options& Options::variable(const std::string& name, const std::string& help) {
  impl_->variables.push_back({name, help, false});
  return *this;
}

Options& Options::positional(const std::string& name, const std::string& help, bool required) {
  TUNE_CHECK(!required || impl_->positionals.empty() || impl_->positionals.back().required, name);
  impl_->positionals.push_back({name, help, required});
  return *this;
}

namespace {

[[noreturn]] void refuse_empty(const std::string& option, const std::string& hint) {
  throw Error(ExitCode::kUsage, option + " is empty", hint);
}

// Splits the command line; what is wrong with it is an Error in our words rather than Boost's.
po::variables_map read_arguments(const po::options_description& all,
                                 const po::positional_options_description& order,
                                 const std::vector<std::string>& names, const std::string& hint,
                                 const std::vector<std::string>& arguments) {
  po::variables_map values;
  try {
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(arguments).options(all).positional(order).style(style).run(), values);
    po::notify(values);
  } catch (const po::unknown_option& error) {
    const std::string name = error.get_option_name();
    const std::string bare = name.substr(std::min(name.size(), name.find_first_not_of('-')));
    std::vector<std::string> known = names;
    known.emplace_back("version");  // which no command declares, as all of them have it
    const auto guess = nearest_name(bare, known);
    throw Error(ExitCode::kUsage, "unknown option " + name, guess ? "did you mean --" + *guess + "?" : hint);
  } catch (const po::too_many_positional_options_error&) {
    const bool ended = std::find(arguments.begin(), arguments.end(), "--") != arguments.end();
    throw Error(ExitCode::kUsage, "there are more arguments than the command takes",
                ended ? "behind -- nothing is an option: write the options before it" : hint);
  } catch (const po::multiple_occurrences& error) {
    throw Error(ExitCode::kUsage, error.get_option_name() + " is given more than once", hint);
  } catch (const po::invalid_command_line_syntax& error) {
    // --data=
    if (error.kind() == po::invalid_command_line_syntax::empty_adjacent_parameter)
      refuse_empty(error.get_option_name(), hint);
    throw Error(ExitCode::kUsage, error.what(), hint);
  } catch (const po::error& error) {
    throw Error(ExitCode::kUsage, error.what(), hint);
  }
  return values;
}

}  // namespace

std::optional<Parsed> Options::parse(const Arguments& arguments, Console& console) const {
  po::options_description all = impl_->description();
  const std::vector<std::string> names = impl_->names();
  po::positional_options_description order;
  Parsed parsed;
  parsed.impl_->declared.insert(names.begin(), names.end());
  for (const auto& positional : impl_->positionals) {
    all.add_options()(positional.name.c_str(), po::value<std::string>());
    order.add(positional.name.c_str(), 1);
    parsed.impl_->declared.insert(positional.name);
  }
  const po::variables_map values = read_arguments(all, order, names, impl_->hint(), arguments);
  if (values.count("help") != 0) {
    print_help(console.out);
    return std::nullopt;
  }
  for (const auto& [name, value] : values) {
    std::vector<std::string>& given = parsed.impl_->given[name];
    if (value.empty()) continue;
    if (const auto* several = boost::any_cast<std::vector<std::string>>(&value.value()))
      given = *several;
    else
      given = {value.as<std::string>()};
    const bool is_option = std::find(names.begin(), names.end(), name) != names.end();
    const bool is_flag = is_option && impl_->is_flag(name);
    if (!is_flag && std::find(given.begin(), given.end(), "") != given.end())
      refuse_empty(is_option ? "--" + name : name, impl_->hint());
  }
  for (const auto& positional : impl_->positionals)
    if (positional.required && parsed.impl_->given.count(positional.name) == 0)
      throw Error(ExitCode::kUsage, positional.name + " is missing", impl_->hint());
  for (const Option& option : impl_->options)
    if (option.required && parsed.impl_->given.count(option.name) == 0)
      throw Error(ExitCode::kUsage, "--" + option.name + " " + option.placeholder + " is missing",
                  impl_->hint());
  return parsed;
}

void Options::print_help(std::ostream& out) const {
  const Command* command = find_command(impl_->line, impl_->command);
  TUNE_CHECK(command != nullptr, impl_->command);
  const std::string_view program = impl_->line.program;
  out << program << ' ' << command->name << ": " << command->summary << "\n\nUsage: " << program << ' '
      << command->synopsis << "\n\n";
  const auto list = [&](const char* title, const std::vector<Impl::Row>& rows) {
    if (rows.empty()) return;
    out << title << ":\n";
    for (const auto& row : rows)
      if (!row.help.empty())
        out << "  " << row.name << std::string(row.name.size() < 22 ? 22 - row.name.size() : 1, ' ')
            << row.help << '\n';
    out << '\n';
  };
  list("Arguments", impl_->positionals);
  out << impl_->description() << '\n';
  list("Environment", impl_->variables);
  out << "Example:\n";
  std::string_view example = command->example;
  while (!example.empty()) {
    const std::size_t end = example.find('\n');
    out << "  " << example.substr(0, end) << '\n';
    example.remove_prefix(end == std::string_view::npos ? example.size() : end + 1);
  }
}

}  // namespace tune::cli
