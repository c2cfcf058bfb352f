#include "control/devices.h"

#include <algorithm>
#include <vector>

#include "control/refuse.h"
#include "control/user_json.h"
#include "wire/base64.h"
#include "wire/key_text.h"
#include "wire/seal.h"
#include "wire/session_id.h"

namespace qdt::control {
namespace {

using users::Device;
using users::User;

// 192 bits in letters that need no quoting, and that are no option of a command.
std::string make_secret(Random& random) {
  std::string secret;
  do {
    secret = wire::encode_base64url(random.bytes<24>());
  } while (secret[0] == '-');
  return secret;
}

wire::PresharedKey make_psk(Random& random) {
  return random.bytes<wire::PresharedKey{}.size()>();
}

void give_login(Device& device, std::string name, const std::string& secret) {
  device.login = {.name = std::move(name), .secret_digest = wire::secret_digest(secret)};
}

Result<wire::Ed25519PublicKey> key_in(const RequestBody& body) {
  const auto text = body.text("key");
  if (!text) return fail(text);
  const auto key = wire::parse_public_key(text->value_or(""));
  if (key) return *key;
  const bool is_private = text->value_or("").starts_with("ed25519-private:");
  return refuse(is_private
                    ? "key: this is a private key, which stays on its device; give the line "
                      "with ed25519: that qdt-client key prints"
                    : "key: expected ed25519: and 43 characters of base64, as qdt-client key "
                      "prints it on the device");
}

// Nothing: null, `none`, or not given.
Result<std::optional<IpAddress>> address_in(const RequestBody& body,
                                            const std::optional<users::Addresses>& addresses) {
  const auto text = body.text("address");
  if (!text) return fail(text);
  if (!*text) return std::nullopt;
  if (!addresses) {
    return refuse("address: the pool is not known, for the configuration cannot be read");
  }
  const auto address = users::parse_address("address", **text, *addresses);
  if (!address) return fail(address);
  return *address;
}

}  // namespace

Result<std::string> Devices::add(const UserRequest& request) {
  const auto body =
      RequestBody::parse(request.body, {"user", "name", "key", "token", "login", "psk", "address"});
  if (!body) return fail(body);
  const auto owner = body->name("user");
  if (!owner) return fail(owner);
  const auto name = body->name("name");
  if (!name) return fail(name);
  const auto has_token = body->flag("token");
  if (!has_token) return fail(has_token);
  const auto has_login = body->flag("login");
  if (!has_login) return fail(has_login);
  const auto has_psk = body->flag("psk");
  if (!has_psk) return fail(has_psk);
  const bool has_key = body->has("key");
  if (has_key + *has_token + *has_login != 1) {
    return refuse("a device has one of key, token and login");
  }
  if (*has_psk && !has_key) return refuse("psk: only a device with a key has one beside");

  const auto address = address_in(*body, addresses_);
  if (!address) return fail(address);
  Device device{.id = store_.new_id(), .name = *name, .address = *address, .created = store_.now()};
  std::string secret;
  if (has_key) {
    const auto key = key_in(*body);
    if (!key) return fail(key);
    device.key = *key;
  }
  if (*has_psk) device.psk = make_psk(random_);
  if (*has_token) device.token = make_secret(random_);
  if (*has_login) {
    secret = make_secret(random_);
    give_login(device, *owner, secret);
  }
  const auto deed =
      store_.deed(request, "device add " + *owner + " " + *name +
                               (*address ? " address=" + (*address)->to_string() : ""));
  const auto member = store_.change_user(deed, *owner, [&](User& user) -> Result<void> {
    user.devices.push_back(device);
    return {};
  });
  if (!member) return fail(member);
  return new_device_json(member->user, device, secret);
}

Result<std::string> Devices::set(const UserRequest& request, std::uint64_t id) {
  const auto body = RequestBody::parse(request.body, {"key", "address"});
  if (!body) return fail(body);
  if (!body->has("address")) return rotate(request, *body, id);
  if (body->has("key")) return refuse("key and address: one at a time");
  return set_address(request, *body, id);
}

Result<std::string> Devices::set_address(const UserRequest& request, const RequestBody& body,
                                         std::uint64_t id) {
  const auto address = address_in(body, addresses_);
  if (!address) return fail(address);
  const std::string text = *address ? (*address)->to_string() : "none";
  Device changed;
  const auto owner =
      change(request, id, "device set address=" + text, [&](User&, Device& device) -> Result<void> {
        if (device.is_locked) {
          return refuse(
              "its secret cannot be read, for the key file is another; it is not changed");
        }
        device.address = *address;
        changed = device;
        return {};
      });
  if (!owner) return fail(owner);
  return device_json(*owner, changed);
}

Result<std::string> Devices::rotate(const UserRequest& request, const RequestBody& body,
                                    std::uint64_t id) {
  Device changed;
  std::string secret;
  const auto owner = change(request, id, "device rotate", [&](User&, Device& device) {
    const auto ok = renew(body, device, secret);
    changed = device;
    return ok;
  });
  if (!owner) return fail(owner);
  return new_device_json(*owner, changed, secret);
}

Result<void> Devices::renew(const RequestBody& body, Device& device, std::string& secret) {
  const bool has_key = device.key.has_value();
  if (has_key != body.has("key")) {
    return refuse(has_key ? "key is missing: the device makes its new one (qdt-client key)"
                          : "key: this device has a token or a secret, which are made here");
  }
  if (!has_key) {
    device.is_locked = false;
    std::string made = make_secret(random_);
    if (device.login) {
      give_login(device, device.login->name, made);
      secret = std::move(made);
    } else {
      device.token = std::move(made);
    }
    return {};
  }
  if (device.is_locked) {
    return refuse(
        "its PSK cannot be read, for the key file is another; remove the device, and "
        "add it again");
  }
  const auto key = key_in(body);
  if (!key) return fail(key);
  if (*key == device.key) return refuse("key: it is the one that the device has already");
  device.key = *key;
  if (device.psk) device.psk = make_psk(random_);
  return {};
}

Result<std::string> Devices::remove(const UserRequest& request, std::uint64_t id) {
  Device removed;
  const auto owner =
      change(request, id, "device remove", [&](User& user, const Device& device) -> Result<void> {
        removed = device;
        std::erase_if(user.devices, [id](const Device& one) { return one.id == id; });
        return {};
      });
  if (!owner) return fail(owner);
  return device_json(*owner, removed);
}

Result<User> Devices::change(const UserRequest& request, std::uint64_t id, const std::string& deed,
                             const std::function<Result<void>(User&, Device&)>& work) {
  const std::string text = wire::session_id_text(id);
  const std::string which = "device " + text;
  User changed;
  const auto done = store_.change(
      store_.deed(request, deed + " " + text), which, [&](users::Edit& edit) -> Result<void> {
        auto owner = found(edit.find_owner(id), which);
        if (!owner) return fail(owner);
        auto ok = work(*owner, *std::ranges::find(owner->devices, id, &Device::id));
        if (!ok) return ok;
        changed = std::move(*owner);
        return edit.put_user(changed);
      });
  if (!done) return fail(done);
  return changed;
}

}  // namespace qdt::control
