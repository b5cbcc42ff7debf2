// Merely reading a batch: what any round has to do at least. Compiled for this machine.
#include <cstdint>
#include <vector>

#include "stratoperf/operation.h"

namespace {

struct Reader {
  std::vector<const std::uint32_t*> columns;  // four a batch
  std::uint64_t votes;
  std::uint64_t next = 0;
  std::uint32_t seen = 0;
};

int read_batches(void* state, std::uint64_t n) {
  Reader& reader = *static_cast<Reader*>(state);
  for (; n > 0; --n) {
    std::uint32_t seen = 0;
    for (std::uint64_t column = 4 * reader.next; column < 4 * reader.next + 4; ++column) {
      const std::uint32_t* words = reader.columns[column];
      for (std::uint64_t i = 0; i < reader.votes; ++i) {
        seen |= words[i];
      }
    }
    reader.seen |= seen;
    asm volatile("" ::"m"(reader.seen));
    reader.next = (reader.next + 1) % (reader.columns.size() / 4);
  }
  return 0;
}

}  // namespace

// The caller keeps the columns and the operation alive until the process ends.
extern "C" stratoperf_operation* make_reader(const std::uint32_t* const* columns,
                                             std::uint64_t batches, std::uint64_t votes) {
  auto* operation = new stratoperf_operation{};
  operation->struct_size = sizeof(stratoperf_operation);
  operation->state = new Reader{{columns, columns + 4 * batches}, votes};
  operation->run = read_batches;
  return operation;
}
