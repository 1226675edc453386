// The names by which LibTorch's headers declare what its library has in every build of it.
#define USE_C10D_GLOO

#include "trainer/parallel/team.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "trainer/parallel/machine_sums.h"
#include "trainer/parallel/nccl.h"

namespace tune::trainer::parallel {
namespace {

constexpr const char *kRank = "TUNE_RANK", *kSize = "TUNE_WORLD_SIZE", *kLocalRank = "TUNE_LOCAL_RANK",
                     *kLocalSize = "TUNE_LOCAL_WORLD_SIZE", *kRendezvous = "TUNE_RENDEZVOUS",
                     *kPatience = "TUNE_PEER_TIMEOUT";
// Those of a cluster's job on several machines.
constexpr const char *kMachine = "SLURM_NODEID", *kFirstHost = "MASTER_ADDR", *kFirstPort = "MASTER_PORT";
constexpr const char* kNetwork = "GLOO_SOCKET_IFNAME";
constexpr const char* kWhenNotMet =
    "see whether all have begun and reach the first one's address, and name the network between them in "
    "GLOO_SOCKET_IFNAME where machines have several";
constexpr const char *kFile = "file:", *kTcp = "tcp:";
constexpr int kMostProcesses = 1 << 16, kPatienceSeconds = 600, kMostPatience = 7 * 24 * 3600;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

int number_in(const char* name, const std::string& text, int least, int most) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc() || rest != end || number < least || number > most)
    throw Error(ExitCode::kUsage, std::string(name) + " is \"" + text + "\"",
                "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return number;
}

c10::intrusive_ptr<c10d::Store> store_of(const Membership& membership, Milliseconds patience) {
  const std::string& place = membership.rendezvous;
  if (place.starts_with(kFile)) {
    auto store = c10::make_intrusive<c10d::FileStore>(place.substr(std::strlen(kFile)), membership.size);
    store->setTimeout(patience);
    return store;
  }
  const std::string address = place.substr(std::strlen(kTcp));
  const std::size_t colon = address.rfind(':');
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(number_in(kRendezvous, address.substr(colon + 1), 1, 65535));
  options.isServer = membership.rank == 0;
  options.numWorkers = static_cast<std::size_t>(membership.size);
  options.timeout = patience;
  return c10::make_intrusive<c10d::TCPStore>(address.substr(0, colon), options);
}

// On one machine nothing is to be heard from outside. On several, GLOO_SOCKET_IFNAME names the network, as it
// does for every program on Gloo.
std::shared_ptr<::gloo::transport::Device> network_of(const Membership& membership) {
  if (membership.rendezvous.starts_with(kFile))
    return c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  if (const std::string named = variable(kNetwork); !named.empty())
    return c10d::ProcessGroupGloo::createDeviceForInterface(named);
  return c10d::ProcessGroupGloo::createDefaultDevice();
}

}  // namespace

std::optional<Membership> membership_from_environment() {
  const std::string rank = variable(kRank);
  if (rank.empty()) return std::nullopt;
  Membership membership;
  membership.size = number_in(kSize, variable(kSize), 1, kMostProcesses);
  membership.rank = number_in(kRank, rank, 0, membership.size - 1);
  const std::string local_size = variable(kLocalSize);
  membership.local_size =
      local_size.empty() ? membership.size : number_in(kLocalSize, local_size, 1, membership.size);
  membership.local_rank =
      number_in(kLocalRank, variable(kLocalRank), 0, std::min(membership.rank, membership.local_size - 1));
  membership.rendezvous = variable(kRendezvous);
  const std::string& place = membership.rendezvous;
  const bool is_file = place.starts_with(kFile) && place.size() > std::strlen(kFile);
  const bool is_address = place.starts_with(kTcp) && place.find(':', std::strlen(kTcp)) != std::string::npos;
  if (!is_file && !is_address)
    throw Error(ExitCode::kUsage, std::string(kRendezvous) + " is \"" + place + "\"",
                "file:PATH on one machine, tcp:HOST:PORT on several");
  return membership;
}

Machines machines_from_environment(int count) {
  Machines machines{.count = count};
  if (count == 1) return machines;
  for (const char* name : {kMachine, kFirstHost, kFirstPort})
    if (variable(name).empty())
      throw Error(ExitCode::kEnvironment,
                  "the trial is of " + std::to_string(count) + " machines, and " + name + " is not set",
                  "start it once on each of them, by `srun` in a job: a search on a cluster with "
                  "\"nodes_per_trial\" does so");
  machines.index = number_in(kMachine, variable(kMachine), 0, count - 1);
  machines.rendezvous = kTcp + variable(kFirstHost) + ':' + variable(kFirstPort);
  return machines;
}

Milliseconds patience_from_environment() {
  const std::string given = variable(kPatience);
  return Milliseconds{1000} *
         (given.empty() ? kPatienceSeconds : number_in(kPatience, given, 1, kMostPatience));
}

PeerLost::PeerLost(int rank, int size, const std::string& what, const std::string& hint)
    : Error(ExitCode::kEnvironment,
            "process " + std::to_string(rank + 1) + " of " + std::to_string(size) +
                " waited for another in vain: " + what,
            hint) {}

struct Team::Links {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> hosts;
  std::unique_ptr<MachineSums> machine;  // where all are on one
  std::unique_ptr<DeviceSums> devices;   // of GPUs
};

struct PendingSum {
  c10::intrusive_ptr<c10d::Work> work;  // on the CPU
  std::uint64_t number = 0;             // likewise, of MachineSums
  torch::Tensor held;                   // what it adds up
  std::optional<c10::Event> done;       // on a GPU
};

void PendingSumDeleter::operator()(PendingSum* sum) const { delete sum; }

template <typename Work>
void Team::with_peers(Work work, const char* when_lost) const {
  try {
    work();
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& error) {
    throw PeerLost(rank_, size_, error.what_without_backtrace(), when_lost);
  } catch (const std::exception& error) {  // Gloo's have types of their own
    throw PeerLost(rank_, size_, error.what(), when_lost);
  }
}

Team::Team(int rank, int size) : rank_(rank), size_(size) {}

Team::Team(const Membership& membership, const torch::Device& device, Milliseconds patience)
    : rank_(membership.rank), size_(membership.size) {
  if (size_ == 1) return;
  auto links = std::make_unique<Links>();
  with_peers(
      [&] {
        links->store = store_of(membership, patience);
        const auto options = c10d::ProcessGroupGloo::Options::create(patience);
        options->devices.push_back(network_of(membership));
        links->hosts = c10::make_intrusive<c10d::ProcessGroupGloo>(links->store, rank_, size_, options);
      },
      membership.rendezvous.starts_with(kTcp) ? kWhenNotMet : kWhenLost);
  links_ = std::move(links);
  if (membership.rendezvous.starts_with(kFile)) share_memory(patience);
  if (!device.is_cuda()) return;
  std::string id = is_first() ? DeviceSums::new_id() : std::string();
  links_->devices = std::make_unique<DeviceSums>(gathered(id).front(), rank_, size_, device);
}

Team::~Team() = default;

void Team::share_memory(Milliseconds patience) {
  with_peers(
      [&] {
        std::unique_ptr<MachineSums> machine;
        if (is_first()) machine = std::make_unique<MachineSums>(size_, patience);
        const std::string name = gathered(machine ? machine->name() : std::string()).front();
        if (!machine) machine = std::make_unique<MachineSums>(name, rank_, size_, patience);
        any(false);  // the first one's name is good until all have opened it
        links_->machine = std::move(machine);
      },
      "start all processes as one user of one machine, or have them meet at tcp:HOST:PORT");
}

std::pair<std::int64_t, std::int64_t> Team::part(std::int64_t count) const {
  return {rank_ * count / size_, (rank_ + 1) * count / size_};
}

std::pair<std::int64_t, std::int64_t> Team::share(std::int64_t count) const {
  return is_linked() ? part(count) : std::pair<std::int64_t, std::int64_t>{0, count};
}

std::vector<double> Team::sums(std::vector<double> values) const {
  if (!is_linked()) return values;
  if (links_->machine) {
    with_peers([&] { links_->machine->finish(links_->machine->begin(values.data(), values.size())); });
    return values;
  }
  std::vector<torch::Tensor> tensors{
      torch::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, torch::kDouble)};
  with_peers([&] { links_->hosts->allreduce(tensors)->wait(); });
  return values;
}

bool Team::any(bool own) const { return sums({own ? 1.0 : 0.0}).front() > 0; }

std::vector<std::string> Team::gathered(const std::string& own) const {
  if (!is_linked()) return {own};
  std::vector<double> sizes(static_cast<std::size_t>(size_), 0.0);
  sizes[static_cast<std::size_t>(rank_)] = static_cast<double>(own.size());
  sizes = sums(std::move(sizes));
  const auto most = static_cast<std::int64_t>(*std::max_element(sizes.begin(), sizes.end()));
  std::vector<std::string> all(sizes.size());
  if (most == 0) return all;
  torch::Tensor bytes = torch::zeros({most}, torch::kByte);
  std::memcpy(bytes.data_ptr(), own.data(), own.size());
  std::vector<torch::Tensor> inputs{bytes};
  std::vector<std::vector<torch::Tensor>> outputs(1);
  for (int i = 0; i < size_; ++i) outputs[0].push_back(torch::empty_like(bytes));
  with_peers([&] { links_->hosts->allgather(outputs, inputs)->wait(); });
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i].assign(static_cast<const char*>(outputs[0][i].data_ptr()), static_cast<std::size_t>(sizes[i]));
  return all;
}

void Team::add(const torch::Tensor& tensor) const {
  Sum sum = begin_to_add(tensor);
  finish(sum);
}

Sum Team::begin_to_add(const torch::Tensor& tensor) const {
  if (!is_linked()) return nullptr;
  TUNE_CHECK(tensor.is_non_overlapping_and_dense());
  Sum sum(new PendingSum);
  if (links_->devices) {
    sum->done = links_->devices->add(tensor);
    return sum;
  }
  if (links_->machine) {
    const auto count = static_cast<std::size_t>(tensor.numel());
    sum->held = tensor;
    with_peers([&] {
      sum->number = tensor.scalar_type() == torch::kDouble
                        ? links_->machine->begin(tensor.mutable_data_ptr<double>(), count)
                        : links_->machine->begin(tensor.mutable_data_ptr<float>(), count);
    });
    return sum;
  }
  // Of one dimension: the order in memory is that of the other processes' tensors.
  std::vector<torch::Tensor> tensors{tensor.as_strided({tensor.numel()}, {1})};
  with_peers([&] { sum->work = links_->hosts->allreduce(tensors); });
  return sum;
}

void Team::finish(Sum& sum) const {
  if (!sum) return;
  if (sum->done)
    sum->done->block(links_->devices->current_stream());
  else if (sum->work)
    with_peers([&] { sum->work->wait(); });
  else
    with_peers([&] { links_->machine->finish(sum->number); });
  sum.reset();
}

void Team::take_from_first(const std::vector<torch::Tensor>& tensors) const {
  if (!is_linked()) return;
  const torch::NoGradGuard no_grad;
  for (const torch::Tensor& tensor : tensors) {
    std::vector<torch::Tensor> host{tensor.detach().to(torch::kCPU).contiguous()};
    if (host[0].numel() == 0) continue;
    host[0] = host[0].flatten().view(torch::kByte);
    with_peers([&] { links_->hosts->broadcast(host)->wait(); });
    if (!is_first()) tensor.detach().copy_(host[0].view(tensor.scalar_type()).view(tensor.sizes()));
  }
}

const std::shared_ptr<Team>& alone() {
  static const std::shared_ptr<Team> team = std::make_shared<Team>();
  return team;
}

}  // namespace tune::trainer::parallel
