// Nodes and graphs as JSON (FORMAT.md).
#include <algorithm>
#include <array>
#include <utility>

#include "graph/replay_steps.hpp"
#include "holdfast/core/error.hpp"
#include "holdfast/graph/snapshot.hpp"

namespace holdfast {
namespace {

constexpr std::array<std::string_view, 6> type_names = {"state",    "derived",  "dynamic",
                                                        "producer", "operator", "unknown"};
constexpr std::array<std::string_view, 4> status_names = {"sentinel", "live", "completed", "errored"};
/// Stages between values that other implementations tell apart; here such a node is live when it has a value.
constexpr std::array<std::string_view, 4> passing_stages = {"pending", "dirty", "settled", "resolved"};

[[noreturn]] void refuse(std::string problem) {
  throw CodecError({.codec = "checkpoint", .problem = std::move(problem)});
}

std::string& text_of(Json& json, std::string_view what) {
  auto* text = json.get_ptr<std::string*>();
  if (text == nullptr) refuse(std::string(what) + " is not a string");
  return *text;
}

Json::object_t& members_of(Json& json, std::string_view what) {
  auto* members = json.get_ptr<Json::object_t*>();
  if (members == nullptr) refuse(std::string(what) + " is not an object");
  return *members;
}

Json* member(Json::object_t& members, const char* name) {
  const auto found = members.find(name);
  return found == members.end() ? nullptr : &found->second;
}

NodeStatus::Kind kind_from(std::string_view name, bool has_value) {
  using enum NodeStatus::Kind;
  const auto found = std::find(status_names.begin(), status_names.end(), name);
  if (found != status_names.end()) return static_cast<NodeStatus::Kind>(found - status_names.begin());
  if (std::find(passing_stages.begin(), passing_stages.end(), name) == passing_stages.end()) {
    refuse("a node's status is not a known one");
  }
  return has_value ? live : sentinel;
}

NodeStatus status_from(const Json& json, bool has_value) {
  if (const auto* name = json.get_ptr<const std::string*>()) return {.kind = kind_from(*name, has_value)};
  if (!json.is_object() || !json.contains("errored") || !json["errored"].is_object()) {
    refuse("a node's status is neither a name nor {\"errored\":{...}}");
  }
  const Json& errored = json["errored"];
  NodeStatus status{.kind = NodeStatus::Kind::errored};
  if (const auto error = errored.find("error"); error != errored.end()) status.error = node_value(*error);
  return status;
}

std::vector<std::string> paths_from(Json& json, std::string_view what) {
  auto* items = json.get_ptr<Json::array_t*>();
  if (items == nullptr) refuse(std::string(what) + " is not an array");
  std::vector<std::string> paths;
  for (Json& item : *items) paths.push_back(std::move(text_of(item, what)));
  return paths;
}

/// A whole path as the node at `target` names it: relative to its owner.
std::string relative_path(std::string path, std::string_view target) {
  const std::string owner = join_path(split_path(target).owner, "");
  if (path.starts_with(owner)) path.erase(0, owner.size());
  return path;
}

/// The flat form: nodes under whole paths, subgraphs as a list of paths, dependencies as edges.
GraphSnapshot flat_snapshot_from(Json::object_t& members) {
  GraphSnapshot root;
  if (Json* name = member(members, "name")) root.name = std::move(text_of(*name, "name"));
  if (Json* subgraphs = member(members, "subgraphs")) {
    for (const std::string& path : paths_from(*subgraphs, "subgraphs")) detail::ensure_graph(root, path);
  }
  if (Json* nodes = member(members, "nodes")) {
    for (auto& [path, json] : members_of(*nodes, "nodes")) {
      NodeSlice slice = slice_from_json(std::move(json));
      for (std::string& dep : slice.deps) dep = relative_path(std::move(dep), path);
      detail::put_slice(root, path, std::move(slice));
    }
  }
  Json* edges = member(members, "edges");
  if (edges == nullptr) return root;
  if (!edges->is_array()) refuse("edges is not an array");
  for (Json& edge : *edges) {
    Json::object_t& ends = members_of(edge, "an edge");
    Json* from = member(ends, "from");
    Json* to = member(ends, "to");
    if (from == nullptr || to == nullptr) refuse("an edge lacks one of its ends");
    const std::string target = text_of(*to, "to");
    NodeSlice* node = root.find(target);
    if (node == nullptr) refuse("an edge leads to no node");
    std::string source = relative_path(text_of(*from, "from"), target);
    if (std::find(node->deps.begin(), node->deps.end(), source) == node->deps.end()) {
      node->deps.push_back(std::move(source));
    }
  }
  return root;
}

}  // namespace

Json status_to_json(const NodeStatus& status) {
  if (status.kind != NodeStatus::Kind::errored) {
    return std::string(status_names[static_cast<std::size_t>(status.kind)]);
  }
  Json errored = Json::object();
  if (status.error) errored["error"] = *status.error;
  return {{"errored", std::move(errored)}};
}

Json slice_to_json(const NodeSlice& slice) {
  Json json = {{"type", std::string(type_names[static_cast<std::size_t>(slice.type)])},
               {"status", status_to_json(slice.status)}};
  if (slice.value) json["value"] = *slice.value;
  if (!slice.deps.empty()) json["deps"] = slice.deps;
  return json;
}

Json snapshot_to_json(const GraphSnapshot& snapshot) {
  Json nodes = Json::object();
  for (const auto& [name, slice] : snapshot.nodes) nodes[name] = slice_to_json(slice);
  Json json = {{"name", snapshot.name}, {"nodes", std::move(nodes)}};
  if (!snapshot.subgraphs.empty()) {
    Json& subgraphs = json["subgraphs"] = Json::object();
    for (const auto& [name, subgraph] : snapshot.subgraphs) subgraphs[name] = snapshot_to_json(subgraph);
  }
  return json;
}

NodeStatus status_from_json(const Json& json) {
  return status_from(json, true);
}

NodeSlice slice_from_json(Json json) {
  Json::object_t& members = members_of(json, "a node");
  NodeSlice slice;
  if (Json* value = member(members, "value")) slice.value = node_value(std::move(*value));
  slice.status.kind = slice.value ? NodeStatus::Kind::live : NodeStatus::Kind::sentinel;
  if (Json* status = member(members, "status")) slice.status = status_from(*status, slice.value != nullptr);
  if (Json* type = member(members, "type")) {
    const auto found = std::find(type_names.begin(), type_names.end(), text_of(*type, "type"));
    slice.type = found == type_names.end() ? NodeType::unknown : static_cast<NodeType>(found - type_names.begin());
  }
  if (Json* deps = member(members, "deps")) slice.deps = paths_from(*deps, "deps");
  return slice;
}

GraphSnapshot snapshot_from_json(Json json) {
  Json::object_t& members = members_of(json, "snapshot");
  Json* subgraphs = member(members, "subgraphs");
  if (members.contains("version") || members.contains("edges") || (subgraphs != nullptr && subgraphs->is_array())) {
    return flat_snapshot_from(members);
  }
  GraphSnapshot snapshot;
  if (Json* name = member(members, "name")) snapshot.name = std::move(text_of(*name, "name"));
  Json* nodes = member(members, "nodes");
  if (nodes == nullptr) refuse("a snapshot lacks its nodes");
  for (auto& [name, slice] : members_of(*nodes, "nodes")) {
    detail::require_segment(name);
    snapshot.nodes.emplace_hint(snapshot.nodes.end(), name, slice_from_json(std::move(slice)));
  }
  if (subgraphs != nullptr) {
    for (auto& [name, subgraph] : members_of(*subgraphs, "subgraphs")) {
      detail::require_segment(name);
      snapshot.subgraphs.emplace(name, snapshot_from_json(std::move(subgraph)));
    }
  }
  return snapshot;
}

}  // namespace holdfast
