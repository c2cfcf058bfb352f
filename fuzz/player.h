#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "contact.h"
#include "stage.h"

namespace qdt::fuzz {

/// The kinds of steps of a program; a kind beyond the last counts from the first again.
enum class StepKind : std::uint8_t {
  kWait,       ///< time passes: a mantissa, an exponent
  kOpen,       ///< a client's connection; how a server meets the next
  kSelect,     ///< which connection the following steps are about
  kSession,    ///< all that an ordinary client does to get a session, or a server to grant it
  kHello,      ///< HTTP/3's control streams
  kRequest,    ///< a request, or an answer
  kFrames,     ///< a QUIC packet with frames
  kStream,     ///< bytes of a stream
  kHttp,       ///< an HTTP/3 frame on a stream
  kDatagram,   ///< an inner datagram
  kDirect,     ///< a direct packet
  kPayload,    ///< bytes as a payload, perhaps with a live connection's ID
  kReplay,     ///< a payload that went by, changed
  kInitial,    ///< a first packet of a connection, of any make
  kHandshake,  ///< frames in an Initial or Handshake packet of the connection
  kRetry,      ///< Retry, version negotiation, stateless reset
  kForward,    ///< a packet from the target's TUN device
  kKeys,       ///< key update, packet numbers left out
  kMode,       ///< answers or not, hears or not
  kMove,       ///< another address, another connection ID
  kTarget,     ///< what its owner does to the target
  kHonest,     ///< what an honest peer does
  kRepeat,     ///< the last steps again
  kTerms,      ///< as the first step: how version 2 is spoken (Program::terms())
  kAsk,        ///< a request, or an answer, of version 2
  kCapsules,   ///< capsules, or what looks like them, on a stream
  kCount,
};

/// Plays programs against a target: holds the hostile connections, and gives their payloads to the
/// stage.
class Player {
 public:
  struct Options {
    Role role = Role::kClient;  ///< of the hostile side
    Keys keys;                  ///< that it has
    Who who = Who::kVersion1;   ///< what a client target is
    SocketAddress target;
  };
  Player(const Options& options, Stage& stage, TunnelNode& target);

  void play(Program program);
  std::size_t opened() const { return opened_; }
  /// Sessions of version 2 that the hostile side had the keys of.
  std::size_t version2_sessions() const { return version2_sessions_; }

  std::function<void(ByteReader& arguments)> on_target;
  std::function<void(ByteReader& arguments)> on_honest;
  /// After each step.
  std::function<void()> check;

 private:
  struct Greeting {  // of a server to the next client
    RawPeer::Parameters parameters;
    bool is_retry = false;
    bool is_silent = false;
  };

  void step(std::uint8_t kind, Bytes bytes, bool may_repeat);
  void receive(const UdpPath& path, Bytes payload);
  void answer(Contact& contact);
  void send(const Contact& contact, Bytes payload, Ecn ecn = Ecn::kNotEct);
  void send_frames(Contact& contact, Bytes frames);
  void send_stream(Contact& contact, std::uint64_t stream, Bytes bytes, bool ends);
  void try_session(Contact& contact);
  Contact* current();
  static SocketAddress address(std::uint8_t index);

  void open(ByteReader& arguments);
  void open_session(ByteReader& arguments);
  void ask_for_session(Contact& contact, std::uint8_t how);
  void grant_session(Contact& contact);
  void request(ByteReader& arguments);
  void ask(ByteReader& arguments);
  Contact::Fields fields_to_ask(Contact& contact, std::uint8_t choice);
  void send_capsules(ByteReader& arguments);
  void send_datagram(ByteReader& arguments);
  void send_direct(ByteReader& arguments);
  void send_payload(ByteReader& arguments);
  void replay(ByteReader& arguments);
  void send_initial(ByteReader& arguments);
  void send_handshake(ByteReader& arguments);
  void send_retry(ByteReader& arguments);
  void forward(ByteReader& arguments);
  void repeat(ByteReader& arguments);

  Options options_;
  Stage& stage_;
  TunnelNode& target_;
  std::vector<std::unique_ptr<Contact>> contacts_;
  std::size_t current_ = 0;
  Greeting greeting_;
  SocketAddress target_address_;  // a client target's may change
  std::vector<std::pair<std::uint8_t, Bytes>> played_;
  std::string resume_token_;  // the latest
  std::uint64_t seed_ = 100;
  std::string authorization_;  // the latest, of whatever connection
  std::size_t opened_ = 0;
  std::size_t version2_sessions_ = 0;
  std::size_t steps_left_ = 200;
};

}  // namespace qdt::fuzz
