// The bill of attempts that share devices: shares add up to the time that each device was leased.
#include "tuner/billing/device_shares.h"

#include <algorithm>
#include <numeric>

#include "support/catch.h"
#include "tuner/core/rng.h"
#include "unit/store/store_fixture.h"

namespace tune::billing {
namespace {

using store::at;

// A lease from one second to another.
store::AttemptRow lease(double from, double to, std::vector<std::string> devices) {
  store::AttemptRow row = store::attempt_row(1, 1);
  row.started = at(static_cast<std::int64_t>(from * 1000));
  row.ended = at(static_cast<std::int64_t>(to * 1000));
  row.lease_seconds = to - from;
  row.devices = std::move(devices);
  return row;
}

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

TEST_CASE("an attempt that has a device alone takes its whole lease, to the last bit", "[shares]") {
  const std::vector<double> shares = device_shares(
      {lease(0, 23.924, {"A"}), lease(23.924, 50.1, {"A"}), lease(0, 0.1, {"B", "C"}), lease(7, 7.3, {})});
  CHECK(shares[0] == 23.924);
  CHECK(shares[1] == 50.1 - 23.924);
  CHECK(shares[2] == 2 * 0.1);
  CHECK(shares[3] == 7.3 - 7);
}

TEST_CASE("equal leases of one device share it equally, and nested ones by who is there", "[shares]") {
  const std::vector<double> equal =
      device_shares({lease(0, 9, {"A"}), lease(0, 9, {"A"}), lease(0, 9, {"A"})});
  for (const double share : equal) CHECK(share == Approx(3));
  // 0-10 alone or with another, 2-6 nested, 4-6 three at once.
  const std::vector<double> nested =
      device_shares({lease(0, 10, {"A"}), lease(2, 6, {"A"}), lease(4, 6, {"A"})});
  CHECK(nested[0] == Approx(2 + 1 + 2.0 / 3 + 4));
  CHECK(nested[1] == Approx(1 + 2.0 / 3));
  CHECK(nested[2] == Approx(2.0 / 3));
  CHECK(sum(nested) == Approx(10));
}

TEST_CASE("a lease shorter than the clock tells is over before others share its device", "[shares]") {
  std::vector<store::AttemptRow> leases{lease(3, 3, {"A"}), lease(3, 9, {"A"})};
  leases[0].lease_seconds = 1e-7;
  CHECK(device_shares(leases) == std::vector<double>{1e-7, 6});
}

TEST_CASE("on several devices each is shared on its own", "[shares]") {
  const std::vector<double> shares = device_shares({lease(0, 10, {"A", "B"}), lease(5, 10, {"B"})});
  CHECK(shares[0] == Approx(10 + 5 + 2.5));
  CHECK(shares[1] == Approx(2.5));
}

TEST_CASE("slots of the CPU share nothing", "[shares]") {
  CHECK(device_shares({lease(0, 10, {}), lease(0, 10, {})}) == std::vector<double>{10, 10});
}

TEST_CASE("an attempt without an end counts with the lease it has had, or not at all", "[shares]") {
  store::AttemptRow running = lease(5, 15, {"A"}), unknown = lease(0, 0, {"A"});
  running.ended.reset();
  unknown.ended.reset();
  unknown.lease_seconds = 0;
  const std::vector<double> shares = device_shares({lease(0, 10, {"A"}), running, unknown});
  CHECK(shares[0] == Approx(7.5));
  CHECK(shares[1] == Approx(7.5));
  CHECK(shares[2] == 0);
}

TEST_CASE("attempts of another study on a device have their part of it, and are given no share here",
          "[shares]") {
  const std::vector<double> shares =
      device_shares({lease(0, 10, {"A"}), lease(0, 10, {"B"})}, {lease(4, 8, {"A"}), lease(0, 10, {"C"})});
  REQUIRE(shares.size() == 2);
  CHECK(shares[0] == Approx(10 - 2));
  CHECK(shares[1] == 10);
  // Within a window alone.
  const LeaseTime window{at(6000).time_since_epoch(), at(20000).time_since_epoch()};
  CHECK(shared_away({lease(0, 10, {"A"})}, {lease(4, 8, {"A"})}, window) == std::vector<double>{1});
}

TEST_CASE("a lease never reaches beyond its recorded end, so that the next of its slot shares nothing",
          "[shares]") {
  store::AttemptRow first = lease(0, 10, {"A"});
  first.started = at(3);  // recorded 3 ms after the supervisor began to count
  CHECK(lease_time(first).end == std::chrono::milliseconds(at(10000).time_since_epoch()));
  CHECK(device_shares({first, lease(10, 12, {"A"})}) == std::vector<double>{10, 2});
}

TEST_CASE("whatever the leases, the shares add up to the time that each device was leased", "[shares]") {
  Rng rng(7);
  const auto draw = [&](int most) { return static_cast<int>(rng.uniform() * most); };
  for (int round = 0; round < 200; ++round) {
    std::vector<store::AttemptRow> attempts;
    std::vector<std::vector<bool>> leased(3, std::vector<bool>(60));
    for (int i = 0; i < 12; ++i) {
      const int from = draw(40), to = from + draw(20);
      std::vector<std::string> devices;
      for (int device = 0; device < 3; ++device) {
        if (draw(2) == 0) continue;
        devices.push_back("GPU-" + std::to_string(device));
        for (int second = from; second < to; ++second)
          leased[static_cast<std::size_t>(device)][static_cast<std::size_t>(second)] = true;
      }
      if (!devices.empty()) attempts.push_back(lease(from, to, devices));
    }
    std::ptrdiff_t expected = 0;
    for (const auto& device : leased) expected += std::count(device.begin(), device.end(), true);
    const std::vector<double> shares = device_shares(attempts);
    CHECK(sum(shares) == Approx(static_cast<double>(expected)).epsilon(1e-12));
    for (const double share : shares) CHECK(share >= -1e-12);
  }
}

}  // namespace
}  // namespace tune::billing
