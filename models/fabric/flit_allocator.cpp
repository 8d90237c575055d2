// SPDX-License-Identifier: Apache-2.0
#include "models/fabric/flit_allocator.hpp"

#include <tuple>

namespace reticle {

namespace {
/// Distance from the port after `pointer`, going round.
std::int32_t turn(std::int32_t port, std::int32_t pointer, std::int32_t ports) {
  return port > pointer ? port - pointer : port - pointer + ports;
}
}  // namespace

FlitAllocator::FlitAllocator(std::size_t inputs, std::size_t outputs, AllocatorKind kind,
                             std::int64_t iterations)
    : kind_{kind},
      iterations_{iterations},
      inputs_{static_cast<std::int32_t>(inputs)},
      outputs_{static_cast<std::int32_t>(outputs)},
      in_pointer_(inputs, -1),
      out_pointer_(outputs, -1),
      in_taken_(inputs),
      out_taken_(outputs) {
  by_input_.best.resize(inputs);
  by_output_.best.resize(outputs);
}

void FlitAllocator::Choice::clear() {
  for (const std::int32_t port : touched) best[static_cast<std::size_t>(port)] = nullptr;
  touched.clear();
}

void FlitAllocator::offer(Choice& choice, std::int32_t port, const Request& request, bool better) {
  const Request*& best = choice.best[static_cast<std::size_t>(port)];
  if (best != nullptr && !better) return;
  if (best == nullptr) choice.touched.push_back(port);
  best = &request;
}

void FlitAllocator::grant(const Request& request, bool move_pointers) {
  granted_.push_back(request);
  const auto in = static_cast<std::size_t>(request.in);
  const auto out = static_cast<std::size_t>(request.out);
  in_taken_[in] = out_taken_[out] = 1;
  if (!move_pointers) return;
  in_pointer_[in] = request.out;
  out_pointer_[out] = request.in;
}

void FlitAllocator::separable() {
  const auto input_key = [&](const Request& r) {
    const std::int32_t pointer = in_pointer_[static_cast<std::size_t>(r.in)];
    return std::tuple{r.late, turn(r.out, pointer, outputs_), r.rank};
  };
  for (const Request& r : requests_) {
    const Request* best = by_input_.best[static_cast<std::size_t>(r.in)];
    offer(by_input_, r.in, r, best != nullptr && input_key(r) < input_key(*best));
  }
  const auto output_key = [&](const Request& r) {
    const std::int32_t pointer = out_pointer_[static_cast<std::size_t>(r.out)];
    return std::tuple{r.late, turn(r.in, pointer, inputs_)};
  };
  for (const std::int32_t in : by_input_.touched) {
    const Request& r = *by_input_.best[static_cast<std::size_t>(in)];
    const Request* best = by_output_.best[static_cast<std::size_t>(r.out)];
    offer(by_output_, r.out, r, best != nullptr && output_key(r) < output_key(*best));
  }
  for (const std::int32_t out : by_output_.touched)
    grant(*by_output_.best[static_cast<std::size_t>(out)], true);
}

/// One iteration: outputs grant, inputs accept. Pointers move in the first one only, or an output
/// could be starved.
void FlitAllocator::islip(bool first) {
  const auto output_key = [&](const Request& r) {
    const std::int32_t pointer = out_pointer_[static_cast<std::size_t>(r.out)];
    return std::tuple{turn(r.in, pointer, inputs_), r.late, r.rank};
  };
  for (const Request& r : requests_) {
    if (in_taken_[static_cast<std::size_t>(r.in)] != 0) continue;
    if (out_taken_[static_cast<std::size_t>(r.out)] != 0) continue;
    const Request* best = by_output_.best[static_cast<std::size_t>(r.out)];
    offer(by_output_, r.out, r, best != nullptr && output_key(r) < output_key(*best));
  }
  const auto input_key = [&](const Request& r) {
    return turn(r.out, in_pointer_[static_cast<std::size_t>(r.in)], outputs_);
  };
  for (const std::int32_t out : by_output_.touched) {
    const Request& r = *by_output_.best[static_cast<std::size_t>(out)];
    const Request* best = by_input_.best[static_cast<std::size_t>(r.in)];
    offer(by_input_, r.in, r, best != nullptr && input_key(r) < input_key(*best));
  }
  for (const std::int32_t in : by_input_.touched)
    grant(*by_input_.best[static_cast<std::size_t>(in)], first);
}

std::span<const FlitAllocator::Request> FlitAllocator::allocate() {
  for (const Request& r : granted_)
    in_taken_[static_cast<std::size_t>(r.in)] = out_taken_[static_cast<std::size_t>(r.out)] = 0;
  granted_.clear();
  const bool separable_kind = kind_ == AllocatorKind::SeparableInputFirst;
  for (std::int64_t i = 0; i < (separable_kind ? 1 : iterations_); ++i) {
    if (separable_kind) separable();
    if (!separable_kind) islip(i == 0);
    by_input_.clear();
    by_output_.clear();
  }
  requests_.clear();
  return granted_;
}

}  // namespace reticle
