#include "os/windows/wintun.h"

#include "os/file.h"
#include "os/windows/program_image.h"
#include "os/windows/system_error.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

std::string remedy() {
  return std::string("download ") + kWintunDownload +
         " from www.wintun.net and put bin\\amd64\\wintun.dll of it beside qdt-client.exe";
}

// A library that is not what it should be would run with administrator's rights.
Result<void> inspect(const std::string& path) {
  const std::string doing = "load " + path + ": ";
  if (!file_exists(path)) return fail(doing + "it is not there; " + remedy());
  const auto content = read_file(path);
  if (!content) return fail(content);
  const auto image = parse_program_image(as_bytes(*content));
  if (!image) return fail(doing + image.error().message + "; " + remedy());
  if (image->machine != IMAGE_FILE_MACHINE_AMD64) {
    return fail(doing + "it is for " + name_of_machine(image->machine) + ", not for x86-64; " +
                remedy());
  }
  if (!image->has_signature) {
    return fail(doing + "it has no signature, so it is not Wintun's own; " + remedy());
  }
  if (const auto ok = verify_signature(path); !ok) {
    return fail(ok.error().message + "; " + remedy());
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<WintunLibrary>> WintunLibrary::load(const std::string& folder) {
  const std::string path = folder + "\\" + kWintunFile;
  if (auto ok = inspect(path); !ok) return fail(ok);
  const HMODULE library =
      ::LoadLibraryExW(native_path(path).c_str(), nullptr,
                       LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32);
  if (library == nullptr) return windows_error("load " + path);
  std::unique_ptr<WintunLibrary> loaded(new WintunLibrary(library));
  if (auto ok = loaded->find_functions(path); !ok) return fail(ok);
  return loaded;
}

Result<void> WintunLibrary::find_functions(const std::string& path) {
  std::string missing;
  const auto find = [&](auto& function, const char* name) {
    void* const found = reinterpret_cast<void*>(::GetProcAddress(library_, name));
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(found);
    if (found == nullptr && missing.empty()) missing = name;
  };
  find(functions_.create_adapter, "WintunCreateAdapter");
  find(functions_.close_adapter, "WintunCloseAdapter");
  find(functions_.get_adapter_luid, "WintunGetAdapterLUID");
  find(functions_.get_running_driver_version, "WintunGetRunningDriverVersion");
  find(functions_.set_logger, "WintunSetLogger");
  find(functions_.start_session, "WintunStartSession");
  find(functions_.end_session, "WintunEndSession");
  find(functions_.get_read_wait_event, "WintunGetReadWaitEvent");
  find(functions_.receive_packet, "WintunReceivePacket");
  find(functions_.release_receive_packet, "WintunReleaseReceivePacket");
  find(functions_.allocate_send_packet, "WintunAllocateSendPacket");
  find(functions_.send_packet, "WintunSendPacket");
  if (missing.empty()) return {};
  return fail("load " + path + ": it has no " + missing + ", so it is another version; " +
              remedy());
}

WintunLibrary::~WintunLibrary() {
  ::FreeLibrary(library_);
}

}  // namespace qdt::os
