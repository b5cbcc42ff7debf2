#include "stratoswarm/kernel/tiny_program.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "core/failure.hpp"

namespace stratoperf::kernel {
namespace {

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
// mov $42, %edi; mov $60, %eax (exit); syscall
constexpr std::array<unsigned char, 12> kCode = {0xbf, kTinyStatus, 0, 0, 0,    0xb8,
                                                 0x3c, 0,           0, 0, 0x0f, 0x05};
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
// mov x0, #42; mov x8, #93 (exit); svc #0
constexpr std::array<unsigned char, 12> kCode = {0x40, 0x05, 0x80, 0xd2, 0xa8, 0x0b,
                                                 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};
#else
constexpr std::uint16_t kMachine = EM_NONE;
constexpr std::array<unsigned char, 12> kCode = {};
#endif

constexpr std::uint64_t kAddress = 0x400000;

struct Image {
  Elf64_Ehdr header;
  Elf64_Phdr segment;
  std::array<unsigned char, kCode.size()> code;
};

Image image() {
  Image image = {};
  std::memcpy(image.header.e_ident, ELFMAG, SELFMAG);
  image.header.e_ident[EI_CLASS] = ELFCLASS64;
  image.header.e_ident[EI_DATA] = ELFDATA2LSB;
  image.header.e_ident[EI_VERSION] = EV_CURRENT;
  image.header.e_type = ET_EXEC;
  image.header.e_machine = kMachine;
  image.header.e_version = EV_CURRENT;
  image.header.e_entry = kAddress + offsetof(Image, code);
  image.header.e_phoff = offsetof(Image, segment);
  image.header.e_ehsize = sizeof(Elf64_Ehdr);
  image.header.e_phentsize = sizeof(Elf64_Phdr);
  image.header.e_phnum = 1;
  image.segment.p_type = PT_LOAD;
  image.segment.p_flags = PF_R | PF_X;
  image.segment.p_vaddr = kAddress;
  image.segment.p_paddr = kAddress;
  image.segment.p_filesz = sizeof(Image);
  image.segment.p_memsz = sizeof(Image);
  image.segment.p_align = memory::kPage;
  image.code = kCode;
  return image;
}

}  // namespace

TinyProgram::TinyProgram() : file_(memfd_create("stratoperf", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  if (kMachine == EM_NONE) {
    throw Failure("execve is measured on x86-64 and AArch64 only", Failure::Kind::unavailable);
  }
  const Image content = image();
  if (!file_ || write(file_.number(), &content, sizeof(content)) != sizeof(content) ||
      fcntl(file_.number(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
    throw Failure("a file in memory cannot be made: " + std::generic_category().message(errno),
                  Failure::Kind::unavailable);
  }
  path_ = "/proc/self/fd/" + std::to_string(file_.number());
}

}  // namespace stratoperf::kernel
