// Name servers of adapters, and the name resolution policy table.

#include <algorithm>
#include <type_traits>

#include "os/windows/network_headers.h"
#include "os/windows/registry_key.h"
#include "os/windows/socket_address.h"
#include "os/windows/system_error.h"
#include "os/windows/undo_step.h"
#include "os/windows/wide.h"
#include "os/windows/windows_network.h"

namespace qdt::os {
namespace {

// The parameters of SetInterfaceDnsSettings (netioapi.h of Windows 10, version 2004).
struct DnsSettings {
  ULONG version = 1;
  ULONG64 flags = 0;
  wchar_t* domain = nullptr;
  wchar_t* name_server = nullptr;
  wchar_t* search_list = nullptr;
  ULONG is_registered = 0;
  ULONG registers_adapter_name = 0;
  ULONG enables_llmnr = 0;
  ULONG queries_adapter_name = 0;
  wchar_t* profile_name_server = nullptr;
};
constexpr ULONG64 kIsIpv6 = 1;
constexpr ULONG64 kHasNameServer = 2;

using SetDnsSettings = DWORD(WINAPI*)(GUID, const DnsSettings*);

// Rules of this host, and those of its domain; where there are any of the latter, Windows looks at
// them alone.
constexpr const wchar_t* kLocalRules =
    L"SYSTEM\\CurrentControlSet\\Services\\Dnscache\\Parameters\\DnsPolicyConfig";
constexpr const wchar_t* kDomainRules =
    L"SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient\\DnsPolicyConfig";
constexpr DWORD kRuleVersion = 2;
constexpr DWORD kHasGenericServers = 8;  // ConfigOptions: GenericDNSServers counts

template <typename Function>
Function* find_function(const wchar_t* library, const char* name) {
  HMODULE module = ::LoadLibraryExW(library, nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);
  if (module == nullptr) return nullptr;
  return reinterpret_cast<Function*>(reinterpret_cast<void*>(::GetProcAddress(module, name)));
}

std::wstring joined(std::span<const IpAddress> servers, wchar_t separator) {
  std::wstring text;
  for (const IpAddress& server : servers) {
    if (!text.empty()) text += separator;
    text += to_wide(server.to_string());
  }
  return text;
}

std::vector<std::wstring> names_of(const ResolutionPolicy& policy) {
  std::vector<std::wstring> names;
  for (const std::string& name : policy.names) names.push_back(to_wide(name));
  return names;
}

std::vector<IpAddress> split(std::wstring_view text) {
  std::vector<IpAddress> servers;
  while (!text.empty()) {
    const auto end = text.find(L';');
    if (const auto server = IpAddress::parse(to_utf8(text.substr(0, end)))) {
      servers.push_back(*server);
    }
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return servers;
}

// The name servers that Windows shows for an adapter with IPv6 and without name servers
// (fec0:0:0:ffff::1 to ::3): nobody has these.
bool is_placeholder(const IpAddress& server) {
  static const Prefix kSiteLocal = *Prefix::parse("fec0:0:0:ffff::/64");
  return kSiteLocal.contains(server);
}

// The DNS client reads its rules when it is told that its parameters have changed.
void tell_dns_client() {
  if (SC_HANDLE manager = ::OpenSCManagerW(nullptr, nullptr, SC_MANAGER_CONNECT)) {
    if (SC_HANDLE service = ::OpenServiceW(manager, L"Dnscache", SERVICE_PAUSE_CONTINUE)) {
      SERVICE_STATUS status{};
      ::ControlService(service, SERVICE_CONTROL_PARAMCHANGE, &status);
      ::CloseServiceHandle(service);
    }
    ::CloseServiceHandle(manager);
  }
  // Names may mean another host in the tunnel than elsewhere.
  if (auto* flush = find_function<BOOL WINAPI()>(L"dnsapi.dll", "DnsFlushResolverCache")) flush();
}

void tell_group_policy() {
  auto* refresh = find_function<BOOL WINAPI(BOOL, DWORD)>(L"userenv.dll", "RefreshPolicyEx");
  if (refresh != nullptr) refresh(TRUE, RP_FORCE);
}

std::wstring rule_path(const wchar_t* rules, const std::string& key) {
  return std::wstring(rules) + L"\\" + to_wide(key);
}

Result<void> write_rule(const wchar_t* rules, const ResolutionPolicy& policy) {
  if (const auto parent = RegistryKey::create(rules); !parent) return fail(parent);
  // A host that loses its power is not to be left without names.
  const auto key = RegistryKey::create_until_restart(rule_path(rules, policy.key));
  if (!key) return fail(key);
  // The rule counts once it has a version: written last.
  const Result<void> written[] = {
      key->write_texts(L"Name", names_of(policy)),
      key->write(L"GenericDNSServers", joined(policy.servers, L';')),
      key->write(L"IPSECCARestriction", std::wstring()),
      key->write(L"Comment", std::wstring(L"QDT, while it is connected")),
      key->write(L"ConfigOptions", kHasGenericServers),
      key->write(L"Version", kRuleVersion)};
  for (const auto& one : written) {
    if (!one) return one;
  }
  return {};
}

}  // namespace

Result<std::vector<InterfaceDns>> read_dns() {
  constexpr ULONG kFlags = GAA_FLAG_SKIP_UNICAST | GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST;
  ULONG bytes = 32768;
  std::vector<std::uint64_t> memory;
  ULONG error = ERROR_BUFFER_OVERFLOW;
  // The table may grow between two calls.
  for (int i = 0; i < 4 && error == ERROR_BUFFER_OVERFLOW; ++i) {
    memory.resize(bytes / sizeof memory[0] + 1);
    error = ::GetAdaptersAddresses(AF_UNSPEC, kFlags, nullptr,
                                   reinterpret_cast<IP_ADAPTER_ADDRESSES*>(memory.data()), &bytes);
  }
  std::vector<InterfaceDns> all;
  if (error == ERROR_NO_DATA) return all;
  if (error != NO_ERROR) return windows_error("list the name servers of this host", error);
  for (const auto* adapter = reinterpret_cast<const IP_ADAPTER_ADDRESSES*>(memory.data());
       adapter != nullptr; adapter = adapter->Next) {
    InterfaceDns dns{.link = adapter->Luid.Value, .servers = {}};
    for (const auto* server = adapter->FirstDnsServerAddress; server != nullptr;
         server = server->Next) {
      const sockaddr* address = server->Address.lpSockaddr;
      if (address->sa_family != AF_INET && address->sa_family != AF_INET6) continue;
      const IpAddress parsed = from_kernel(address).address;
      if (!is_placeholder(parsed)) dns.servers.push_back(parsed);
    }
    all.push_back(std::move(dns));
  }
  return all;
}

Result<void> write_dns(InterfaceId link, IpFamily family, std::span<const IpAddress> servers) {
  const std::string doing = "set the name servers of an adapter";
  auto* set = find_function<std::remove_pointer_t<SetDnsSettings>>(L"iphlpapi.dll",
                                                                   "SetInterfaceDnsSettings");
  if (set == nullptr) {
    return fail(doing + ": this needs Windows 10, version 2004 (build 19041), or later");
  }
  NET_LUID luid{};
  luid.Value = link;
  GUID guid{};
  const DWORD unknown = ::ConvertInterfaceLuidToGuid(&luid, &guid);
  if (unknown != NO_ERROR) return windows_error(doing, unknown);
  std::wstring text = joined(servers, L',');
  DnsSettings settings;
  settings.flags = kHasNameServer | (family == IpFamily::kV6 ? kIsIpv6 : 0);
  settings.name_server = text.data();
  const DWORD error = set(guid, &settings);
  if (error != NO_ERROR) return windows_error(doing, error);

  // The DNS client takes a moment to take note.
  std::vector<IpAddress> now;
  for (int i = 0; i < 50; ++i) {
    const auto all = read_dns();
    if (!all) return fail(all);
    now.clear();
    for (const InterfaceDns& one : *all) {
      if (one.link != link) continue;
      for (const IpAddress& server : one.servers) {
        if (family_of(server) == family) now.push_back(server);
      }
    }
    if (std::ranges::equal(now, servers)) return {};
    ::Sleep(20);
  }
  return fail(doing + ": Windows took " + to_utf8(text) + " and now has " +
              (now.empty() ? "none" : to_utf8(joined(now, L','))) + "; what else sets them?");
}

Result<std::vector<ResolutionPolicy>> read_resolution_policies() {
  std::vector<ResolutionPolicy> policies;
  const auto rules = RegistryKey::open(kLocalRules);
  if (!rules) return policies;
  for (const std::wstring& name : rules->subkeys()) {
    if (!to_utf8(name).starts_with(kPolicyPrefix)) continue;
    const auto rule = RegistryKey::open(std::wstring(kLocalRules) + L"\\" + name);
    if (!rule) continue;
    ResolutionPolicy policy{
        .key = to_utf8(name), .names = {}, .servers = split(rule->read(L"GenericDNSServers"))};
    for (const std::wstring& domain : rule->read_texts(L"Name")) {
      policy.names.push_back(to_utf8(domain));
    }
    policies.push_back(std::move(policy));
  }
  return policies;
}

Result<void> write_resolution_policy(const ResolutionPolicy& policy) {
  const auto refused = [&](const Result<void>& why) {
    [[maybe_unused]] const auto gone = delete_resolution_policy(policy.key);
    return fail("add a name resolution policy (NRPT): " + why.error().message);
  };
  if (const auto ok = write_rule(kLocalRules, policy); !ok) return refused(ok);
  const auto domain = RegistryKey::open(kDomainRules);
  if (domain && !domain->subkeys().empty()) {
    if (const auto ok = write_rule(kDomainRules, policy); !ok) return refused(ok);
    tell_group_policy();
  }
  const auto now = read_resolution_policies();
  if (std::ranges::find(*now, policy) == now->end()) {
    return refused(fail("it is not what was just written; what else writes it?"));
  }
  tell_dns_client();
  return {};
}

Result<void> delete_resolution_policy(const std::string& key) {
  bool is_domain = false;
  for (const wchar_t* rules : {kLocalRules, kDomainRules}) {
    const DWORD error = ::RegDeleteTreeW(HKEY_LOCAL_MACHINE, rule_path(rules, key).c_str());
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) continue;
    if (error != ERROR_SUCCESS) {
      return windows_error("remove the name resolution policy (NRPT) " + key, error);
    }
    is_domain |= rules == kDomainRules;
  }
  if (is_domain) tell_group_policy();
  tell_dns_client();
  return {};
}

}  // namespace qdt::os
