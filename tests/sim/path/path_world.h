#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sim/path/inner_path.h"
#include "sim/path/setting.h"
#include "sim/path/traffic_node.h"
#include "sim/path/window_flow.h"

namespace qdt::testing {

/// The carrier of the inner packets.
enum class Plane {
  kQuic,    ///< QUIC DATAGRAM frames
  kDirect,  ///< packets of the tunnel's own form
  kNone,    ///< no tunnel: what the simulated senders reach by themselves, in one session
};

/// The world of a setting: a server, its clients, and two hosts without a tunnel, over links that
/// share one bottleneck each way.
class PathWorld {
 public:
  PathWorld(const PathSetting& setting, Plane plane, std::uint64_t seed);

  /// Connects, lets the traffic warm up, measures. Nothing when a session did not come about.
  std::optional<PathFigures> run();

 private:
  struct Session {
    std::unique_ptr<ClientNode> client;
    std::unique_ptr<InnerPath> path;
    Duration one_way;
  };
  /// A flow of the setting, with what the figures need to know of it.
  struct Sender {
    Flow* flow;
    const TrafficPart* part;  // null: the sparse flow
    std::size_t session;
  };

  void attach_clients();
  void attach_outside();
  bool connect();
  void start_traffic();
  void add(const TrafficPart& part);
  void add_sparse_flow();
  Flow& keep(std::unique_ptr<Flow> flow, const TrafficPart* part, std::size_t session);
  InnerPath& path_of(const TrafficPart& part);
  void set_rate(double megabits_per_second);
  LinkOptions link(Duration delay) const;
  void measure();

  PathFigures figures() const;
  double worst_second() const;
  double weakest_session() const;
  void add_sparse_figures(PathFigures& figures) const;
  bool is_inside(const Sender& sender) const { return !sender.part || !sender.part->is_outside; }
  /// The part of the inner hosts' packets that fits the bottleneck.
  double wanted_bits(Duration from, Duration to) const;
  /// The rate of one session, in Mbit/s; much where it sends as much as it may.
  double offered(std::size_t session, Duration since_start) const;

  PathSetting setting_;
  Plane plane_;
  double megabits_per_second_;
  SimWorld world_;
  ServerNode server_;
  std::vector<Session> sessions_;
  BareNode outside_server_;
  BareNode outside_client_;
  BarePath outside_{outside_server_, outside_client_};
  TrafficNode traffic_;
  std::vector<Sender> senders_;
  std::vector<Duration> queue_;
  Timestamp traffic_start_;
};

}  // namespace qdt::testing
