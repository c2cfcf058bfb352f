// Filters of the Windows Filtering Platform.

#include <algorithm>
#include <cstring>
#include <deque>
#include <span>

#include "os/windows/network_headers.h"
#include "os/windows/system_error.h"
#include "os/windows/wide.h"
#include "os/windows/windows_network.h"

namespace qdt::os {
namespace {

// As fwpmu.h of the Windows SDK has them.
constexpr GUID kOutV4{0xc38d57d1, 0x05a7, 0x4c33, {0x90, 0x4f, 0x7f, 0xbc, 0xee, 0xe6, 0x0e, 0x82}};
constexpr GUID kOutV6{0x4a72393b, 0x319f, 0x44bc, {0x84, 0xc3, 0xba, 0x54, 0xdc, 0xb3, 0xb6, 0xb4}};
constexpr GUID kInV4{0xe1cd9fe7, 0xf4b5, 0x4273, {0x96, 0xc0, 0x59, 0x2e, 0x48, 0x7b, 0x86, 0x50}};
constexpr GUID kInV6{0xa3b42c97, 0x9f04, 0x4672, {0xb8, 0x7e, 0xce, 0xe9, 0xc4, 0x83, 0x25, 0x7f}};

constexpr GUID kLocalInterface{
    0x4cd62a49, 0x59c3, 0x4969, {0xb7, 0xf3, 0xbd, 0xa5, 0xd3, 0x28, 0x90, 0xa4}};
constexpr GUID kRemoteAddress{
    0xb235ae9a, 0x1d64, 0x49b8, {0xa4, 0x4c, 0x5f, 0xf3, 0xd9, 0x09, 0x50, 0x45}};
constexpr GUID kProtocol{
    0x3971ef2b, 0x623e, 0x4f9a, {0x8c, 0xb1, 0x6e, 0x79, 0xb8, 0x06, 0xb9, 0xa7}};
constexpr GUID kLocalPort{
    0x0c1ba1af, 0x5765, 0x453f, {0xaf, 0x22, 0xa8, 0xf7, 0x91, 0xac, 0x77, 0x5b}};
constexpr GUID kRemotePort{
    0xc35a604d, 0xd22b, 0x4e1a, {0x91, 0xb4, 0x68, 0xf6, 0x74, 0xee, 0x67, 0x4b}};
constexpr GUID kProgram{
    0xd78e1e87, 0x8644, 0x4ea5, {0x94, 0x37, 0xd8, 0x09, 0xec, 0xef, 0xc9, 0x71}};
constexpr GUID kFlags{0x632ce23b, 0x5167, 0x435c, {0x86, 0xd7, 0xe9, 0x03, 0x68, 0x4a, 0xa8, 0x0c}};

constexpr UINT32 kDynamic = 1;  // FWPM_SESSION_FLAG_DYNAMIC: all of it goes with the session
constexpr UINT16 kFirst = 0xffff;
constexpr DWORD kNoService = 1753;  // EPT_S_NOT_REGISTERED

const GUID& layer_of(const Filter& filter) {
  if (filter.direction == Direction::kOut) {
    return filter.family == IpFamily::kV4 ? kOutV4 : kOutV6;
  }
  return filter.family == IpFamily::kV4 ? kInV4 : kInV6;
}

std::unexpected<Error> refused(const std::string& doing, DWORD error) {
  const bool needs_service = error == kNoService;
  return fail(
      windows_error(doing, error).error().message +
      (needs_service ? "; does the service \"Base Filtering Engine\" run (sc start bfe)?" : ""));
}

struct FreeFilteringMemory {
  void operator()(void* memory) const { ::FwpmFreeMemory0(&memory); }
};
using ProgramId = std::unique_ptr<FWP_BYTE_BLOB, FreeFilteringMemory>;

/// Conditions as Windows takes them, and what they point to.
class WindowsConditions {
 public:
  WindowsConditions(const Filter& filter, FWP_BYTE_BLOB* program) : program_(program) {
    for (const FilterCondition& condition : filter.conditions) {
      std::visit([this](const auto& kind) { add(kind); }, condition);
    }
  }
  std::span<FWPM_FILTER_CONDITION0> get() { return conditions_; }

 private:
  FWP_CONDITION_VALUE0& next(const GUID& field, FWP_DATA_TYPE type,
                             FWP_MATCH_TYPE match = FWP_MATCH_EQUAL) {
    FWPM_FILTER_CONDITION0& condition = conditions_.emplace_back();
    condition.fieldKey = field;
    condition.matchType = match;
    condition.conditionValue.type = type;
    return condition.conditionValue;
  }

  void add(const OnInterface& on) {
    next(kLocalInterface, FWP_UINT64).uint64 = &interfaces_.emplace_back(on.link);
  }
  void add(const OnLoopback&) {
    next(kFlags, FWP_UINT32, FWP_MATCH_FLAGS_ALL_SET).uint32 = FWP_CONDITION_FLAG_IS_LOOPBACK;
  }
  void add(const OfThisProgram&) { next(kProgram, FWP_BYTE_BLOB_TYPE).byteBlob = program_; }
  void add(const IpProtocol& protocol) { next(kProtocol, FWP_UINT8).uint8 = protocol.number; }
  void add(const LocalPort& local) { next(kLocalPort, FWP_UINT16).uint16 = local.port; }
  void add(const RemotePort& remote) { next(kRemotePort, FWP_UINT16).uint16 = remote.port; }
  void add(const RemotePrefix& remote) {
    const IpAddress& address = remote.prefix.address();
    const int length = remote.prefix.length();
    if (address.is_v4()) {
      const std::uint32_t mask = length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
      next(kRemoteAddress, FWP_V4_ADDR_MASK).v4AddrMask =
          &v4_.emplace_back(FWP_V4_ADDR_AND_MASK{address.v4_number(), mask});
      return;
    }
    FWP_V6_ADDR_AND_MASK& v6 = v6_.emplace_back();
    std::memcpy(v6.addr, address.bytes().data(), sizeof v6.addr);
    v6.prefixLength = static_cast<UINT8>(length);
    next(kRemoteAddress, FWP_V6_ADDR_MASK).v6AddrMask = &v6;
  }

  FWP_BYTE_BLOB* program_;
  std::vector<FWPM_FILTER_CONDITION0> conditions_;
  std::deque<UINT64> interfaces_;  // what does not move when it grows
  std::deque<FWP_V4_ADDR_AND_MASK> v4_;
  std::deque<FWP_V6_ADDR_AND_MASK> v6_;
};

class WindowsFilterSession final : public FilterSession {
 public:
  WindowsFilterSession(HANDLE engine, const GUID& sublayer)
      : engine_(engine), sublayer_(sublayer) {}
  ~WindowsFilterSession() override { ::FwpmEngineClose0(engine_); }

  void use_program(ProgramId program) { program_ = std::move(program); }

  Result<void> replace(std::span<const Filter> filters) override;
  bool stands() override;

 private:
  Result<void> replace_in_transaction(std::span<const Filter> filters, std::vector<UINT64>& added);
  Result<UINT64> add(const Filter& filter);

  HANDLE engine_;
  GUID sublayer_;
  ProgramId program_;
  std::vector<UINT64> ids_;
};

Result<void> WindowsFilterSession::replace(std::span<const Filter> filters) {
  const DWORD begun = ::FwpmTransactionBegin0(engine_, 0);
  if (begun != ERROR_SUCCESS) return refused("change filters", begun);
  std::vector<UINT64> added;
  if (auto ok = replace_in_transaction(filters, added); !ok) {
    ::FwpmTransactionAbort0(engine_);
    return ok;
  }
  const DWORD committed = ::FwpmTransactionCommit0(engine_);
  if (committed != ERROR_SUCCESS) {
    ::FwpmTransactionAbort0(engine_);
    return refused("change filters", committed);
  }
  ids_ = std::move(added);
  if (!stands()) return fail("change filters: they are gone already; what else removes them?");
  return {};
}

Result<void> WindowsFilterSession::replace_in_transaction(std::span<const Filter> filters,
                                                          std::vector<UINT64>& added) {
  for (const UINT64 id : ids_) {
    const DWORD error = ::FwpmFilterDeleteById0(engine_, id);
    const bool is_gone = error == static_cast<DWORD>(FWP_E_FILTER_NOT_FOUND);
    if (error != ERROR_SUCCESS && !is_gone) return refused("remove a filter", error);
  }
  for (const Filter& filter : filters) {
    const auto id = add(filter);
    if (!id) return fail(id);
    added.push_back(*id);
  }
  return {};
}

Result<UINT64> WindowsFilterSession::add(const Filter& filter) {
  WindowsConditions conditions(filter, program_.get());
  std::wstring name = to_wide("QDT: " + filter.name);
  FWPM_FILTER0 wanted{};
  wanted.displayData.name = name.data();
  wanted.layerKey = layer_of(filter);
  wanted.subLayerKey = sublayer_;
  wanted.weight.type = FWP_UINT8;
  wanted.weight.uint8 = filter.weight;
  wanted.numFilterConditions = static_cast<UINT32>(conditions.get().size());
  wanted.filterCondition = conditions.get().data();
  wanted.action.type = filter.is_permit ? FWP_ACTION_PERMIT : FWP_ACTION_BLOCK;
  UINT64 id = 0;
  const DWORD error = ::FwpmFilterAdd0(engine_, &wanted, nullptr, &id);
  if (error != ERROR_SUCCESS) return refused("add the filter \"" + filter.name + "\"", error);
  return id;
}

bool WindowsFilterSession::stands() {
  return std::ranges::all_of(ids_, [this](UINT64 id) {
    FWPM_FILTER0* filter = nullptr;
    if (::FwpmFilterGetById0(engine_, id, &filter) != ERROR_SUCCESS) return false;
    const std::unique_ptr<FWPM_FILTER0, FreeFilteringMemory> owner(filter);
    return true;
  });
}

Result<ProgramId> this_program() {
  std::wstring path(32768, L'\0');
  const DWORD length = ::GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size()));
  path.resize(length);
  FWP_BYTE_BLOB* id = nullptr;
  const DWORD error = ::FwpmGetAppIdFromFileName0(path.c_str(), &id);
  if (error != ERROR_SUCCESS) return refused("name this program to the firewall", error);
  return ProgramId(id);
}

}  // namespace

Result<std::unique_ptr<FilterSession>> open_filter_session(const std::string& name) {
  const std::string doing = "open the Windows Filtering Platform";
  std::wstring wide_name = to_wide(name);
  FWPM_SESSION0 session{};
  session.displayData.name = wide_name.data();
  session.flags = kDynamic;
  HANDLE engine = nullptr;
  const DWORD error = ::FwpmEngineOpen0(nullptr, RPC_C_AUTHN_DEFAULT, nullptr, &session, &engine);
  if (error != ERROR_SUCCESS) return refused(doing, error);
  GUID sublayer{};
  ::UuidCreate(&sublayer);
  auto opened = std::make_unique<WindowsFilterSession>(engine, sublayer);

  FWPM_SUBLAYER0 wanted{};
  wanted.subLayerKey = sublayer;
  wanted.displayData.name = wide_name.data();
  wanted.weight = kFirst;
  const DWORD added = ::FwpmSubLayerAdd0(engine, &wanted, nullptr);
  if (added != ERROR_SUCCESS) return refused(doing, added);
  auto program = this_program();
  if (!program) return fail(program);
  opened->use_program(std::move(*program));
  return opened;
}

}  // namespace qdt::os
