#include "graph/snapshot_text.hpp"

#include <utility>

#include "graph/replay_steps.hpp"
#include "holdfast/core/error.hpp"
#include "wal/json_members.hpp"

namespace holdfast::detail {
namespace {

/// Calls `use(name, text of the value)` for the members of an object. That they stand one after the other has been seen
/// when the object was found; their values are judged by `use`.
template <class Use>
void for_each_member(std::string_view object, Use use) {
  JsonMembers members(object);
  auto step = members.next();
  for (; step == JsonMembers::Step::member; step = members.next()) {
    auto name = string_in(members.member.substr(0, members.name.size() + 2));
    require_segment(*name);
    if (!use(std::move(*name), members.value)) {
      throw CodecError({.codec = "checkpoint", .problem = "a node or a subgraph is there twice"});
    }
  }
  if (step == JsonMembers::Step::malformed) throw CodecError({.codec = "checkpoint", .problem = "an object is none"});
}

}  // namespace

std::string outline(std::string_view object, std::initializer_list<std::string_view> values) {
  std::string text;
  const char* at = object.data();
  for (const std::string_view value : values) {
    if (value.empty()) continue;
    text.append(at, value.data()).append("null");
    at = value.data() + value.size();
  }
  return text.append(at, object.data() + object.size());
}

GraphSnapshot snapshot_from_text(std::string_view text) {
  std::string_view nodes;
  std::string_view subgraphs;
  JsonMembers members(text);
  auto step = members.next();
  bool is_nested = true;
  for (; step == JsonMembers::Step::member; step = members.next()) {
    if (members.name == "nodes") nodes = members.value;
    if (members.name == "subgraphs") subgraphs = members.value;
    is_nested = is_nested && members.name != "version" && members.name != "edges";
  }
  const bool in_order = subgraphs.empty() || (subgraphs.starts_with('{') && subgraphs.data() > nodes.data());
  const bool is_plain = step == JsonMembers::Step::end && is_nested && nodes.starts_with('{') && in_order;
  if (!is_plain) return snapshot_from_json(parse_json(text));

  Json rest = parse_json(outline(text, {nodes, subgraphs}));
  rest.erase("subgraphs");
  rest["nodes"] = Json::object();
  GraphSnapshot snapshot = snapshot_from_json(std::move(rest));
  for_each_member(nodes, [&](std::string name, std::string_view slice) {
    return snapshot.nodes.try_emplace(std::move(name), slice_from_json(parse_json(slice))).second;
  });
  for_each_member(subgraphs.empty() ? "{}" : subgraphs, [&](std::string name, std::string_view subgraph) {
    return snapshot.subgraphs.try_emplace(std::move(name), snapshot_from_text(subgraph)).second;
  });
  return snapshot;
}

}  // namespace holdfast::detail
