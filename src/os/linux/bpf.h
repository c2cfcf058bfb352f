#pragma once

#include <linux/bpf.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "os/linux/unique_fd.h"

namespace qdt::os::bpf {

// Instructions of <linux/bpf.h>, as far as the programs here need them. Some of their parts are 0.

/// Registers: to = from.
constexpr bpf_insn move(std::uint8_t to, std::uint8_t from) {
  return {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from, .off = 0, .imm = 0};
}
/// to += operand, 64 bits.
constexpr bpf_insn add(std::uint8_t to, std::int32_t operand) {
  constexpr std::uint8_t kCode = BPF_ALU64 | BPF_ADD | BPF_K;  // NOLINT(misc-redundant-expression)
  return {.code = kCode, .dst_reg = to, .src_reg = 0, .off = 0, .imm = operand};
}
/// R0 = R0 `operation` operand, 32 bits.
constexpr bpf_insn compute(std::uint8_t operation, std::int32_t operand) {
  const auto code = static_cast<std::uint8_t>(BPF_ALU | operation | BPF_K);
  return {.code = code, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = operand};
}
/// R0 = what the packet of R6 has at `offset`, in host order; outside of the packet the program
/// ends with 0.
constexpr bpf_insn load_packet(std::uint8_t size, std::int32_t offset) {
  const auto code = static_cast<std::uint8_t>(BPF_LD | BPF_ABS | size);
  return {.code = code, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = offset};
}
/// to = 32 bits at `from` + offset.
constexpr bpf_insn load(std::uint8_t to, std::uint8_t from, std::int16_t offset) {
  return {
      .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = to, .src_reg = from, .off = offset, .imm = 0};
}
/// 32 bits at `to` + offset = from.
constexpr bpf_insn store(std::uint8_t to, std::int16_t offset, std::uint8_t from) {
  return {
      .code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = to, .src_reg = from, .off = offset, .imm = 0};
}
/// 64 bits at `to` += from, at once for all processors.
constexpr bpf_insn add_atomically(std::uint8_t to, std::uint8_t from) {
  return {.code = BPF_STX | BPF_ATOMIC | BPF_DW,
          .dst_reg = to,
          .src_reg = from,
          .off = 0,
          .imm = BPF_ADD};
}
/// The first half of to = map; a second one of zeros follows.
constexpr bpf_insn load_map(std::uint8_t to, int map) {
  constexpr std::uint8_t kCode = BPF_LD | BPF_DW | BPF_IMM;  // NOLINT(misc-redundant-expression)
  return {.code = kCode, .dst_reg = to, .src_reg = BPF_PSEUDO_MAP_FD, .off = 0, .imm = map};
}
constexpr bpf_insn call(std::int32_t function) {
  return {.code = BPF_JMP | BPF_CALL, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = function};
}
constexpr bpf_insn skip_if_equal(std::int32_t operand, std::int16_t instructions) {
  return {.code = BPF_JMP | BPF_JEQ | BPF_K,
          .dst_reg = BPF_REG_0,
          .src_reg = 0,
          .off = instructions,
          .imm = operand};
}
constexpr bpf_insn skip(std::int16_t instructions) {
  return {.code = BPF_JMP | BPF_JA, .dst_reg = 0, .src_reg = 0, .off = instructions, .imm = 0};
}
constexpr bpf_insn leave() {
  return {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0};
}

/// R0 = R0 `operation` other, 32 bits.
constexpr bpf_insn compute_by(std::uint8_t operation, std::uint8_t other) {
  const auto code = static_cast<std::uint8_t>(BPF_ALU | operation | BPF_X);
  return {.code = code, .dst_reg = BPF_REG_0, .src_reg = other, .off = 0, .imm = 0};
}
/// 32 bits at `to` + offset = operand.
constexpr bpf_insn store_value(std::uint8_t to, std::int16_t offset, std::int32_t operand) {
  return {
      .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = to, .src_reg = 0, .off = offset, .imm = operand};
}

/// A program, and the array that it shares with us (BPF_F_MMAPABLE, Linux 5.5).
struct ProgramWithArray {
  UniqueFd program;
  UniqueFd array;
};

/// An array of so many values for a program, which is memory of ours, too.
Result<UniqueFd> make_array(std::size_t value_bytes, std::size_t values, const std::string& what);

/// The bpf system call; says for `what`, "load a program that ...", why not, and how to mend it.
Result<UniqueFd> call_kernel(int command, const bpf_attr& request, const std::string& what);
/// A program that sees packets; `what` is it for?
Result<UniqueFd> load_program(std::span<const bpf_insn> program, const std::string& what);

}  // namespace qdt::os::bpf
