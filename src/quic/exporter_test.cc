// What a connection keeps of TLS gives the same secrets as GnuTLS does while it has its session.

#include <gnutls/gnutls.h>

#include <deque>
#include <memory>

#include "quic/endpoint_fixture.h"
#include "wire/exporter.h"

namespace qdt::quic {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::string_view kLabel = "EXPORTER-HTTP-Concealed-Authentication";

Octets derive(const wire::Exporter& exporter, std::string_view context) {
  Octets out(48);
  exporter.derive(kLabel, as_bytes(context), out);
  return out;
}

// A TLS session over memory, whose exporter comes as a connection's does.
class PlainTls {
 public:
  PlainTls(unsigned role, const char* priority, gnutls_certificate_credentials_st* credentials) {
    gnutls_init(&session_, role);
    gnutls_priority_set_direct(session_, priority, nullptr);
    gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_session_set_ptr(session_, this);
    gnutls_transport_set_ptr(session_, this);
    gnutls_transport_set_push_function(session_, push);
    gnutls_transport_set_pull_function(session_, pull);
    gnutls_session_set_keylog_function(session_, keep);
  }
  ~PlainTls() { gnutls_deinit(session_); }
  PlainTls(const PlainTls&) = delete;
  PlainTls& operator=(const PlainTls&) = delete;

  gnutls_session_t session() const { return session_; }
  void join(PlainTls& other) { other_ = &other; }
  bool handshake() { return gnutls_handshake(session_) == GNUTLS_E_SUCCESS; }
  Octets derived(std::string_view context) const { return derive(exporter_, context); }
  Octets exported(std::string_view context) const {
    Octets out(48);
    gnutls_prf_rfc5705(session_, kLabel.size(), kLabel.data(), context.size(), context.data(),
                       out.size(), reinterpret_cast<char*>(out.data()));
    return out;
  }

 private:
  static PlainTls& self(void* pointer) { return *static_cast<PlainTls*>(pointer); }
  static ssize_t push(gnutls_transport_ptr_t pointer, const void* bytes, std::size_t size) {
    const auto* first = static_cast<const std::uint8_t*>(bytes);
    auto& inbox = self(pointer).other_->inbox_;
    inbox.insert(inbox.end(), first, first + size);
    return static_cast<ssize_t>(size);
  }
  static ssize_t pull(gnutls_transport_ptr_t pointer, void* bytes, std::size_t size) {
    auto& inbox = self(pointer).inbox_;
    if (inbox.empty()) {
      gnutls_transport_set_errno(self(pointer).session_, EAGAIN);
      return -1;
    }
    const std::size_t count = std::min(size, inbox.size());
    std::copy_n(inbox.begin(), count, static_cast<std::uint8_t*>(bytes));
    inbox.erase(inbox.begin(), inbox.begin() + static_cast<std::ptrdiff_t>(count));
    return static_cast<ssize_t>(count);
  }
  static int keep(gnutls_session_t session, const char* label, const gnutls_datum_t* secret) {
    if (std::string_view(label) == "EXPORTER_SECRET") {
      self(gnutls_session_get_ptr(session)).exporter_ =
          wire::Exporter({secret->data, secret->size});
    }
    return 0;
  }

  gnutls_session_t session_ = nullptr;
  PlainTls* other_ = nullptr;
  std::deque<std::uint8_t> inbox_;
  wire::Exporter exporter_;
};

struct PlainTlsTest : ::testing::TestWithParam<const char*> {
  PlainTlsTest() { gnutls_session_ticket_key_generate(&ticket_key); }
  ~PlainTlsTest() override { gnutls_free(ticket_key.data); }

  // A handshake that resumes `earlier` where there is one, and leaves the next there.
  void compare(Octets& earlier) {
    PlainTls server(GNUTLS_SERVER, GetParam(), testing::test_server_tls().credentials());
    PlainTls client(GNUTLS_CLIENT, GetParam(), trust.credentials());
    gnutls_session_ticket_enable_server(server.session(), &ticket_key);
    server.join(client);
    client.join(server);
    const bool resumes = !earlier.empty();
    if (resumes) gnutls_session_set_data(client.session(), earlier.data(), earlier.size());
    bool is_client_done = false;
    bool is_server_done = false;
    for (int i = 0; i < 10 && !(is_client_done && is_server_done); ++i) {
      is_client_done = is_client_done || client.handshake();
      is_server_done = is_server_done || server.handshake();
    }
    ASSERT_TRUE(is_client_done && is_server_done);
    ASSERT_EQ(gnutls_session_is_resumed(client.session()) != 0, resumes);
    for (const std::string_view context : {"", "a context"}) {
      EXPECT_EQ(client.derived(context), client.exported(context));
      EXPECT_EQ(server.derived(context), server.exported(context));
      EXPECT_EQ(client.derived(context), server.derived(context));
    }
    std::uint8_t byte = 0;
    gnutls_record_recv(client.session(), &byte, 1);  // reads the ticket
    gnutls_datum_t data{};
    ASSERT_GE(gnutls_session_get_data2(client.session(), &data), 0);
    earlier.assign(data.data, data.data + data.size);
    gnutls_free(data.data);
  }

  gnutls_datum_t ticket_key{};
  TlsClientContext trust = std::move(*TlsClientContext::without_verification());
};

TEST_P(PlainTlsTest, ExportsWhatGnuTlsDoes) {
  Octets session;
  compare(session);
  compare(session);
}

INSTANTIATE_TEST_SUITE_P(
    Hashes, PlainTlsTest,
    ::testing::Values("NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM",
                      "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM"),
    [](const auto& test) { return test.index == 0 ? "Sha256" : "Sha384"; });

class ExporterTest : public EndpointTest {};

TEST_F(ExporterTest, IsTheSameAtBothEndsAndAnotherInEachConnection) {
  connect();
  ASSERT_TRUE(settle());
  const Octets first = derive(client.connection->exporter(), "context");
  EXPECT_EQ(first, derive(server.connection->exporter(), "context"));
  EXPECT_NE(first, derive(server.connection->exporter(), "another"));
  server.connection = nullptr;
  connect();
  ASSERT_TRUE(settle());
  EXPECT_NE(first, derive(client.connection->exporter(), "context"));
}

}  // namespace
}  // namespace qdt::quic
