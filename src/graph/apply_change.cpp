#include <utility>

#include "graph/replay.hpp"
#include "graph/replay_steps.hpp"

namespace holdfast::detail {
namespace {

[[noreturn]] void refuse(const char* problem) {
  throw CodecError({.codec = "WAL payload", .problem = problem});
}

const std::string& text_in(const Json& payload, const char* name) {
  const auto found = payload.find(name);
  const auto* text = found == payload.end() ? nullptr : found->get_ptr<const std::string*>();
  if (text == nullptr) refuse("a member that names a node, a subgraph or a kind is missing or no string");
  return *text;
}

Json& member_in(Json& payload, const char* name) {
  const auto found = payload.find(name);
  if (found == payload.end()) refuse("the slice, value or status is missing");
  return *found;
}

Applied apply_spec(Json& payload, GraphSnapshot& state) {
  const std::string& kind = text_in(payload, "kind");
  if (kind == "graph.add") {
    put_slice(state, text_in(payload, "nodeId"), slice_from_json(std::move(member_in(payload, "slice"))));
  } else if (kind == "graph.remove") {
    remove_node(state, text_in(payload, "nodeId"));
  } else if (kind == "graph.mount") {
    mount_graph(state, text_in(payload, "path"), text_in(payload, "subgraphId"));
  } else if (kind == "graph.unmount") {
    unmount_graph(state, text_in(payload, "path"));
  } else {
    return Applied::unknown;
  }
  return Applied::done;
}

Applied apply_value(Json& payload, GraphSnapshot& state) {
  const std::string& kind = text_in(payload, "kind");
  if (kind == "node.set") {
    put_value(state, text_in(payload, "path"), node_value(std::move(member_in(payload, "value"))));
  } else if (kind == "node.invalidate") {
    put_value(state, text_in(payload, "path"), nullptr);
  } else if (kind == "node.status") {
    put_status(state, text_in(payload, "path"), status_from_json(member_in(payload, "status")));
  } else {
    return Applied::unknown;
  }
  return Applied::done;
}

}  // namespace

Applied apply_change(const ChangeView& change, GraphSnapshot& state) {
  const bool spec = change.structure == "graph.spec";
  if (!spec && change.structure != "graph.value") return Applied::unknown;
  Json payload = parse_json(change.payload);
  if (!payload.is_object()) refuse("the payload is not an object");
  return spec ? apply_spec(payload, state) : apply_value(payload, state);
}

}  // namespace holdfast::detail
