// Containers as operations: what the benchmarks `container.*` and `agent.*` measure.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/operation.hpp"
#include "stratoswarm/containers/client.hpp"

namespace stratoperf::containers {

enum class Way { cold, pooled, parked };

// What the operation saw beside its time.
struct SpawnLog {
  std::uint64_t count = 0;                // containers whose first instruction reported
  std::vector<double> first_instruction;  // nanoseconds from the call, of the last of each batch
  std::array<std::vector<double>, kStages> stages = {};  // the same, by the helper's clock
  int last_control = -1;                                 // of a container that is still there
};

struct SpawnPlan {
  ContainerSettings settings;
  Way way = Way::cold;
  std::uint64_t pace_ns = 0;            // between two calls, or 0 for back to back
  std::uint64_t expected_checksum = 0;  // of the image, where there is one
};

// Time from the call until the container's first instruction has reported.
class SpawnOperation : public Operation {
 public:
  SpawnOperation(std::shared_ptr<Client> client, SpawnPlan plan, std::shared_ptr<SpawnLog> log);
  ~SpawnOperation() override;
  void prepare(std::uint64_t n) override;
  void run(std::uint64_t n) override;

 private:
  void finish();
  void wait_for_turn();

  std::shared_ptr<Client> client_;
  SpawnPlan plan_;
  std::shared_ptr<SpawnLog> log_;
  Descriptor image_;
  std::vector<Held> held_;
  Ready last_;
  bool ran_ = false;
  std::uint64_t next_turn_ns_ = 0;
};

// Time from the call until the container's process is reaped and its control groups are removed.
class DestroyOperation : public Operation {
 public:
  DestroyOperation(std::shared_ptr<Client> client, SpawnPlan plan, std::shared_ptr<SpawnLog> log);
  ~DestroyOperation() override;
  void prepare(std::uint64_t n) override;
  void run(std::uint64_t n) override;

 private:
  std::shared_ptr<Client> client_;
  SpawnPlan plan_;
  std::shared_ptr<SpawnLog> log_;
  std::vector<Held> held_;
};

}  // namespace stratoperf::containers
