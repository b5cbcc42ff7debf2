// What goes wrong through nobody's arguments, for whoever calls this from another language to tell
// apart without knowing the classes: an argument that is wrong is a std::invalid_argument.
#pragma once

#include <stdexcept>
#include <string>

namespace stratoperf {

class Failure : public std::runtime_error {
 public:
  enum class Kind {
    failed,       // it was tried and did not work
    unavailable,  // what does the work is not here, or has no room left
    wrong,        // it was done, and the outcome is not what it has to be
  };

  explicit Failure(const std::string& message, Kind kind = Kind::failed)
      : std::runtime_error(message), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

}  // namespace stratoperf
