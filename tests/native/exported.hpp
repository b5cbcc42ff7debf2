// An operation as the sampler sees it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/operation.hpp"

namespace stratoperf {

// The C structure, as a capsule would own it.
struct Exported {
  explicit Exported(std::unique_ptr<Operation> operation) {
    export_operation(std::move(operation), c);
  }
  Exported(const Exported&) = delete;
  Exported& operator=(const Exported&) = delete;
  ~Exported() { c.destroy(c.state); }

  bool run(std::uint64_t n) { return c.prepare(c.state, n) == 0 && c.run(c.state, n) == 0; }
  bool verify(std::uint64_t& checked) { return c.verify(c.state, &checked) == 0; }
  std::string message() { return c.message(c.state); }

  stratoperf_operation c = {};
};

}  // namespace stratoperf
