#include <exception>
#include <stdexcept>

#include "cuda/bindings/topics.hpp"
#include "cuda/device/error.hpp"

namespace stratoperf::cuda::bindings {
namespace {

void raise(const char* type, const char* message) {
  const py::object error = py::module_::import("stratoperf.errors").attr(type);
  PyErr_SetString(error.ptr(), message);
}

}  // namespace

// What the code of this module throws, as the exceptions that users know.
void register_errors() {
  py::register_local_exception_translator([](std::exception_ptr error) {
    try {
      if (error) {
        std::rethrow_exception(error);
      }
    } catch (const Unavailable& unavailable) {
      raise("BackendUnavailable", unavailable.what());
    } catch (const Error& failed) {
      raise("StratoperfError", failed.what());
    } catch (const std::invalid_argument& invalid) {
      raise("InvalidParameter", invalid.what());
    }
  });
}

}  // namespace stratoperf::cuda::bindings
