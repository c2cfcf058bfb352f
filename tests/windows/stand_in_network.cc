#include "stand_in_network.h"

// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <iphlpapi.h>
#include <netioapi.h>
#include <fwpmu.h>
// clang-format on

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace {

// ---- What is kept

struct State {
  std::mutex mutex;
  std::wstring name;
  MIB_IPINTERFACE_ROW settings[2] = {};  // IPv4, IPv6
  std::vector<MIB_UNICASTIPADDRESS_ROW> addresses;
  std::vector<MIB_IPFORWARD_ROW2> routes;
  std::vector<SOCKADDR_INET> dns;
  std::set<UINT64> filters;
  UINT64 next_filter = 1;
  std::set<void*> tables;  // that we gave away
};

State& state() {
  static State* const only = new State;  // for as long as the process, whichever library goes first
  return *only;
}

constexpr NET_IFINDEX kIndex = 5144;
constexpr GUID kGuid{0x51445400, 0, 0, {0, 0, 0, 0, 0, 0, 0, 1}};

void note(const std::string& line) {
  const char* path = std::getenv("QDT_STAND_IN_LOG");
  if (path == nullptr) return;
  if (FILE* file = std::fopen(path, "a")) {
    std::fprintf(file, "%s\n", line.c_str());
    std::fclose(file);
  }
}

std::string text_of(const SOCKADDR_INET& address) {
  char text[64] = "?";
  const void* bytes = address.si_family == AF_INET
                          ? static_cast<const void*>(&address.Ipv4.sin_addr)
                          : static_cast<const void*>(&address.Ipv6.sin6_addr);
  ::inet_ntop(address.si_family, const_cast<void*>(bytes), text, sizeof text);
  return text;
}

bool is_same(const SOCKADDR_INET& one, const SOCKADDR_INET& other) {
  return one.si_family == other.si_family && text_of(one) == text_of(other);
}

std::string text_of(const MIB_IPFORWARD_ROW2& route) {
  return text_of(route.DestinationPrefix.Prefix) + "/" +
         std::to_string(route.DestinationPrefix.PrefixLength) +
         (route.InterfaceLuid.Value == kStandInLuid ? " in" : " by " + text_of(route.NextHop));
}

bool is_same(const MIB_IPFORWARD_ROW2& one, const MIB_IPFORWARD_ROW2& other) {
  return one.InterfaceLuid.Value == other.InterfaceLuid.Value &&
         one.DestinationPrefix.PrefixLength == other.DestinationPrefix.PrefixLength &&
         is_same(one.DestinationPrefix.Prefix, other.DestinationPrefix.Prefix) &&
         is_same(one.NextHop, other.NextHop);
}

bool is_same(const MIB_UNICASTIPADDRESS_ROW& one, const MIB_UNICASTIPADDRESS_ROW& other) {
  return one.InterfaceLuid.Value == other.InterfaceLuid.Value &&
         is_same(one.Address, other.Address);
}

template <typename Row>
Row* find(std::vector<Row>& rows, const Row& wanted) {
  for (Row& row : rows) {
    if (is_same(row, wanted)) return &row;
  }
  return nullptr;
}

template <typename Row>
DWORD remove(std::vector<Row>& rows, const Row& wanted) {
  return std::erase_if(rows, [&](const Row& row) { return is_same(row, wanted); }) > 0
             ? NO_ERROR
             : ERROR_NOT_FOUND;
}

// ---- Tables: Wine's rows, and ours behind them

template <typename Table, typename Row>
DWORD join(DWORD wine_error, Table* wine, const std::vector<Row>& ours, Table** joined) {
  const ULONG count = wine_error == NO_ERROR ? wine->NumEntries : 0;
  const std::size_t bytes = sizeof(Table) + sizeof(Row) * (count + ours.size());
  auto* table = static_cast<Table*>(std::calloc(1, bytes));
  for (ULONG i = 0; i < count; ++i) table->Table[i] = wine->Table[i];
  for (std::size_t i = 0; i < ours.size(); ++i) table->Table[count + i] = ours[i];
  table->NumEntries = count + static_cast<ULONG>(ours.size());
  if (wine_error == NO_ERROR) ::FreeMibTable(wine);
  state().tables.insert(table);
  *joined = table;
  return NO_ERROR;
}

bool is_of(ADDRESS_FAMILY wanted, ADDRESS_FAMILY family) {
  return wanted == AF_UNSPEC || wanted == family;
}

void WINAPI free_table(void* table) {
  {
    const std::lock_guard lock(state().mutex);
    if (state().tables.erase(table) > 0) {
      std::free(table);
      return;
    }
  }
  ::FreeMibTable(table);
}

DWORD WINAPI interfaces(MIB_IF_TABLE2** joined) {
  MIB_IF_TABLE2* wine = nullptr;
  const DWORD error = ::GetIfTable2(&wine);
  const std::lock_guard lock(state().mutex);
  MIB_IF_ROW2 row{};
  row.InterfaceLuid.Value = kStandInLuid;
  row.InterfaceIndex = kIndex;
  std::wcsncpy(row.Alias, state().name.c_str(), IF_MAX_STRING_SIZE);
  std::wcsncpy(row.Description, L"QDT Tunnel", IF_MAX_STRING_SIZE);
  row.OperStatus = IfOperStatusUp;
  row.MediaConnectState = MediaConnectStateConnected;
  return join(error, wine, std::vector{row}, joined);
}

DWORD WINAPI ip_interfaces(ADDRESS_FAMILY family, MIB_IPINTERFACE_TABLE** joined) {
  const std::lock_guard lock(state().mutex);
  std::vector<MIB_IPINTERFACE_ROW> ours;
  for (const MIB_IPINTERFACE_ROW& row : state().settings) {
    if (is_of(family, row.Family)) ours.push_back(row);
  }
  return join<MIB_IPINTERFACE_TABLE>(ERROR_NOT_SUPPORTED, nullptr, ours, joined);
}

DWORD WINAPI set_ip_interface(MIB_IPINTERFACE_ROW* row) {
  const std::lock_guard lock(state().mutex);
  for (MIB_IPINTERFACE_ROW& ours : state().settings) {
    if (row->InterfaceLuid.Value != kStandInLuid || ours.Family != row->Family) continue;
    if (row->Family == AF_INET && row->SitePrefixLength != 0) return ERROR_INVALID_PARAMETER;
    ours = *row;
    note(std::string("set ") + (row->Family == AF_INET ? "v4" : "v6") + " MTU " +
         std::to_string(row->NlMtu));
    return NO_ERROR;
  }
  return ERROR_NOT_FOUND;
}

DWORD WINAPI addresses(ADDRESS_FAMILY family, MIB_UNICASTIPADDRESS_TABLE** joined) {
  MIB_UNICASTIPADDRESS_TABLE* wine = nullptr;
  const DWORD error = ::GetUnicastIpAddressTable(family, &wine);
  const std::lock_guard lock(state().mutex);
  std::vector<MIB_UNICASTIPADDRESS_ROW> ours;
  for (const auto& row : state().addresses) {
    if (is_of(family, row.Address.si_family)) ours.push_back(row);
  }
  return join(error, wine, ours, joined);
}

void WINAPI prepare_address(MIB_UNICASTIPADDRESS_ROW* row) {
  *row = {};
  row->OnLinkPrefixLength = 255;
  row->ValidLifetime = row->PreferredLifetime = 0xffffffff;
}

DWORD WINAPI add_address(const MIB_UNICASTIPADDRESS_ROW* row) {
  const std::lock_guard lock(state().mutex);
  if (row->InterfaceLuid.Value != kStandInLuid) return ERROR_NOT_FOUND;
  if (find(state().addresses, *row) != nullptr) return ERROR_OBJECT_ALREADY_EXISTS;
  state().addresses.push_back(*row);
  state().addresses.back().DadState = IpDadStatePreferred;
  note("add address " + text_of(row->Address) + "/" + std::to_string(row->OnLinkPrefixLength));
  return NO_ERROR;
}

DWORD WINAPI get_address(MIB_UNICASTIPADDRESS_ROW* row) {
  const std::lock_guard lock(state().mutex);
  const auto* found = find(state().addresses, *row);
  if (found == nullptr) return ERROR_NOT_FOUND;
  *row = *found;
  return NO_ERROR;
}

DWORD WINAPI remove_address(const MIB_UNICASTIPADDRESS_ROW* row) {
  const std::lock_guard lock(state().mutex);
  note("remove address " + text_of(row->Address));
  return remove(state().addresses, *row);
}

DWORD WINAPI routes(ADDRESS_FAMILY family, MIB_IPFORWARD_TABLE2** joined) {
  MIB_IPFORWARD_TABLE2* wine = nullptr;
  const DWORD error = ::GetIpForwardTable2(family, &wine);
  const std::lock_guard lock(state().mutex);
  std::vector<MIB_IPFORWARD_ROW2> ours;
  for (const auto& row : state().routes) {
    if (is_of(family, row.DestinationPrefix.Prefix.si_family)) ours.push_back(row);
  }
  return join(error, wine, ours, joined);
}

void WINAPI prepare_route(MIB_IPFORWARD_ROW2* row) {
  *row = {};
  row->ValidLifetime = row->PreferredLifetime = 0xffffffff;
  row->Metric = 0xffffffff;
}

DWORD WINAPI add_route(const MIB_IPFORWARD_ROW2* row) {
  const std::lock_guard lock(state().mutex);
  if (find(state().routes, *row) != nullptr) return ERROR_OBJECT_ALREADY_EXISTS;
  state().routes.push_back(*row);
  note("add route " + text_of(*row));
  return NO_ERROR;
}

DWORD WINAPI get_route(MIB_IPFORWARD_ROW2* row) {
  const std::lock_guard lock(state().mutex);
  const auto* found = find(state().routes, *row);
  if (found == nullptr) return ERROR_NOT_FOUND;
  *row = *found;
  return NO_ERROR;
}

DWORD WINAPI remove_route(const MIB_IPFORWARD_ROW2* row) {
  const std::lock_guard lock(state().mutex);
  note("remove route " + text_of(*row));
  return remove(state().routes, *row);
}

// The first address of the interface, or that of the first one which is not loopback.
DWORD WINAPI best_route(NET_LUID* luid, NET_IFINDEX, const SOCKADDR_INET*,
                        const SOCKADDR_INET* destination, ULONG, MIB_IPFORWARD_ROW2* route,
                        SOCKADDR_INET* source) {
  MIB_UNICASTIPADDRESS_TABLE* table = nullptr;
  const DWORD error = ::GetUnicastIpAddressTable(destination->si_family, &table);
  if (error != NO_ERROR) return error;
  DWORD result = ERROR_NETWORK_UNREACHABLE;
  for (ULONG i = 0; i < table->NumEntries && result != NO_ERROR; ++i) {
    const MIB_UNICASTIPADDRESS_ROW& row = table->Table[i];
    if (luid != nullptr && row.InterfaceLuid.Value != luid->Value) continue;
    if (text_of(row.Address).starts_with("fe80")) continue;
    *route = {};
    route->InterfaceLuid = row.InterfaceLuid;
    *source = row.Address;
    result = NO_ERROR;
  }
  ::FreeMibTable(table);
  return result;
}

// ---- Name servers

DWORD WINAPI luid_to_guid(const NET_LUID* luid, GUID* guid) {
  if (luid->Value != kStandInLuid) return ::ConvertInterfaceLuidToGuid(luid, guid);
  *guid = kGuid;
  return NO_ERROR;
}

struct DnsSettings {
  ULONG version;
  ULONG64 flags;
  wchar_t* domain;
  wchar_t* name_server;
};

DWORD WINAPI set_dns(GUID guid, const DnsSettings* settings) {
  if (std::memcmp(&guid, &kGuid, sizeof guid) != 0) return ERROR_FILE_NOT_FOUND;
  const ADDRESS_FAMILY family = (settings->flags & 1) != 0 ? AF_INET6 : AF_INET;
  const std::lock_guard lock(state().mutex);
  std::erase_if(state().dns, [&](const auto& one) { return one.si_family == family; });
  std::string rest, line = family == AF_INET ? "set dns v4" : "set dns v6";
  for (const wchar_t* at = settings->name_server; *at != 0; ++at) rest += static_cast<char>(*at);
  while (!rest.empty()) {
    const std::string word = rest.substr(0, rest.find(','));
    rest.erase(0, word.size() + 1);
    SOCKADDR_INET server{};
    server.si_family = family;
    void* place = family == AF_INET ? static_cast<void*>(&server.Ipv4.sin_addr)
                                    : static_cast<void*>(&server.Ipv6.sin6_addr);
    if (::inet_pton(family, word.c_str(), place) != 1) return ERROR_INVALID_PARAMETER;
    state().dns.push_back(server);
    line += " " + word;
  }
  note(line);
  return NO_ERROR;
}

// Behind Wine's adapters comes ours, which is valid until the next question.
ULONG WINAPI adapters(ULONG family, ULONG flags, void* reserved, IP_ADAPTER_ADDRESSES* first,
                      ULONG* bytes) {
  const ULONG error = ::GetAdaptersAddresses(family, flags, reserved, first, bytes);
  if (error != NO_ERROR) return error;
  static IP_ADAPTER_ADDRESSES ours;
  static IP_ADAPTER_DNS_SERVER_ADDRESS servers[8];
  static SOCKADDR_INET places[8];
  const std::lock_guard lock(state().mutex);
  ours = {};
  ours.Luid.Value = kStandInLuid;
  ours.OperStatus = IfOperStatusUp;
  for (std::size_t i = 0; i < state().dns.size() && i < 8; ++i) {
    places[i] = state().dns[i];
    servers[i] = {};
    servers[i].Address.lpSockaddr = reinterpret_cast<SOCKADDR*>(&places[i]);
    servers[i].Address.iSockaddrLength = sizeof places[i];
    if (i == 0) ours.FirstDnsServerAddress = &servers[0];
    if (i > 0) servers[i - 1].Next = &servers[i];
  }
  while (first->Next != nullptr) first = first->Next;
  first->Next = &ours;
  return NO_ERROR;
}

// ---- Filters: counted, not applied

DWORD WINAPI open_engine(const wchar_t*, UINT32, SEC_WINNT_AUTH_IDENTITY_W*,
                         const FWPM_SESSION0* session, HANDLE* engine) {
  if ((session->flags & 1) == 0) return ERROR_INVALID_PARAMETER;  // not a dynamic one
  *engine = &state();
  note("open filters");
  return NO_ERROR;
}
DWORD WINAPI close_engine(HANDLE) {
  const std::lock_guard lock(state().mutex);
  state().filters.clear();
  note("close filters");
  return NO_ERROR;
}
DWORD WINAPI add_sublayer(HANDLE, const FWPM_SUBLAYER0*, PSECURITY_DESCRIPTOR) {
  return NO_ERROR;
}
DWORD WINAPI begin(HANDLE, UINT32) {
  return NO_ERROR;
}
DWORD WINAPI commit(HANDLE) {
  const std::lock_guard lock(state().mutex);
  note("filters " + std::to_string(state().filters.size()));
  return NO_ERROR;
}
DWORD WINAPI abort_changes(HANDLE) {
  return NO_ERROR;
}
DWORD WINAPI add_filter(HANDLE, const FWPM_FILTER0*, PSECURITY_DESCRIPTOR, UINT64* id) {
  const std::lock_guard lock(state().mutex);
  *id = state().next_filter++;
  state().filters.insert(*id);
  return NO_ERROR;
}
DWORD WINAPI delete_filter(HANDLE, UINT64 id) {
  const std::lock_guard lock(state().mutex);
  return state().filters.erase(id) > 0 ? NO_ERROR : static_cast<DWORD>(FWP_E_FILTER_NOT_FOUND);
}
DWORD WINAPI get_filter(HANDLE, UINT64 id, FWPM_FILTER0** filter) {
  const std::lock_guard lock(state().mutex);
  if (!state().filters.contains(id)) return static_cast<DWORD>(FWP_E_FILTER_NOT_FOUND);
  *filter = static_cast<FWPM_FILTER0*>(std::calloc(1, sizeof(FWPM_FILTER0)));
  return NO_ERROR;
}
DWORD WINAPI program_id(const wchar_t*, FWP_BYTE_BLOB** id) {
  *id = static_cast<FWP_BYTE_BLOB*>(std::calloc(1, sizeof(FWP_BYTE_BLOB)));
  return NO_ERROR;
}
void WINAPI free_memory(void** memory) {
  std::free(*memory);
  *memory = nullptr;
}

// ---- In the place of what the program imports

FARPROC WINAPI find_function(HMODULE module, const char* name) {
  const bool is_name = reinterpret_cast<ULONG_PTR>(name) > 0xffff;
  if (is_name && std::strcmp(name, "SetInterfaceDnsSettings") == 0) {
    return reinterpret_cast<FARPROC>(reinterpret_cast<void*>(&set_dns));
  }
  return ::GetProcAddress(module, name);
}

template <typename Function>
void* address_of(Function* function) {
  return reinterpret_cast<void*>(function);
}

const std::map<std::string, void*>& replacements() {
  static const std::map<std::string, void*> all = {
      {"FreeMibTable", address_of(&free_table)},
      {"GetIfTable2", address_of(&interfaces)},
      {"GetIpInterfaceTable", address_of(&ip_interfaces)},
      {"SetIpInterfaceEntry", address_of(&set_ip_interface)},
      {"GetUnicastIpAddressTable", address_of(&addresses)},
      {"InitializeUnicastIpAddressEntry", address_of(&prepare_address)},
      {"CreateUnicastIpAddressEntry", address_of(&add_address)},
      {"GetUnicastIpAddressEntry", address_of(&get_address)},
      {"DeleteUnicastIpAddressEntry", address_of(&remove_address)},
      {"GetIpForwardTable2", address_of(&routes)},
      {"InitializeIpForwardEntry", address_of(&prepare_route)},
      {"CreateIpForwardEntry2", address_of(&add_route)},
      {"GetIpForwardEntry2", address_of(&get_route)},
      {"DeleteIpForwardEntry2", address_of(&remove_route)},
      {"GetBestRoute2", address_of(&best_route)},
      {"ConvertInterfaceLuidToGuid", address_of(&luid_to_guid)},
      {"GetAdaptersAddresses", address_of(&adapters)},
      {"GetProcAddress", address_of(&find_function)},
      {"FwpmEngineOpen0", address_of(&open_engine)},
      {"FwpmEngineClose0", address_of(&close_engine)},
      {"FwpmSubLayerAdd0", address_of(&add_sublayer)},
      {"FwpmTransactionBegin0", address_of(&begin)},
      {"FwpmTransactionCommit0", address_of(&commit)},
      {"FwpmTransactionAbort0", address_of(&abort_changes)},
      {"FwpmFilterAdd0", address_of(&add_filter)},
      {"FwpmFilterDeleteById0", address_of(&delete_filter)},
      {"FwpmFilterGetById0", address_of(&get_filter)},
      {"FwpmGetAppIdFromFileName0", address_of(&program_id)},
      {"FwpmFreeMemory0", address_of(&free_memory)}};
  return all;
}

// The loader keeps the names of a program's imports beside their addresses, in the same order.
void replace_imports(HMODULE program) {
  auto* const base = reinterpret_cast<std::uint8_t*>(program);
  const auto* dos = reinterpret_cast<const IMAGE_DOS_HEADER*>(base);
  const auto* nt = reinterpret_cast<const IMAGE_NT_HEADERS*>(base + dos->e_lfanew);
  const auto& directory = nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
  auto* library = reinterpret_cast<const IMAGE_IMPORT_DESCRIPTOR*>(base + directory.VirtualAddress);
  for (; library->Name != 0; ++library) {
    const auto* name =
        reinterpret_cast<const IMAGE_THUNK_DATA*>(base + library->OriginalFirstThunk);
    auto* address = reinterpret_cast<IMAGE_THUNK_DATA*>(base + library->FirstThunk);
    for (; name->u1.AddressOfData != 0; ++name, ++address) {
      if (IMAGE_SNAP_BY_ORDINAL(name->u1.Ordinal)) continue;
      const auto* import =
          reinterpret_cast<const IMAGE_IMPORT_BY_NAME*>(base + name->u1.AddressOfData);
      const auto ours = replacements().find(reinterpret_cast<const char*>(import->Name));
      if (ours == replacements().end()) continue;
      DWORD protection = 0;
      ::VirtualProtect(address, sizeof *address, PAGE_READWRITE, &protection);
      address->u1.Function = reinterpret_cast<ULONG_PTR>(ours->second);
      ::VirtualProtect(address, sizeof *address, protection, &protection);
    }
  }
}

}  // namespace

void install_stand_in_network(const wchar_t* adapter_name) {
  State& kept = state();
  kept.name = adapter_name;
  for (int i = 0; i < 2; ++i) {
    MIB_IPINTERFACE_ROW& row = kept.settings[i];
    row.Family = i == 0 ? AF_INET : AF_INET6;
    row.InterfaceLuid.Value = kStandInLuid;
    row.InterfaceIndex = kIndex;
    row.NlMtu = 65535;
    row.UseAutomaticMetric = TRUE;
    row.Metric = 5;
    row.SitePrefixLength = 64;
    row.RouterDiscoveryBehavior = i == 0 ? RouterDiscoveryDhcp : RouterDiscoveryEnabled;
  }
  replace_imports(::GetModuleHandleW(nullptr));
  note("adapter is there");
}
