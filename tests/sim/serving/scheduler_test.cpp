// SPDX-License-Identifier: Apache-2.0
#include "sim/serving/scheduler.hpp"

#include <doctest/doctest.h>

#include "tests/sim/serving/serving_fixture.hpp"

using namespace reticle;
using namespace reticle::test;

namespace {
using Ids = std::vector<std::uint64_t>;
}

TEST_CASE("Scheduler: idle is an empty step") {
  Scheduler s{{}, room(4)};
  std::vector<Admitted> admitted;
  CHECK(s.plan(admitted).sequences.empty());
  CHECK(admitted.empty());
}

TEST_CASE("Scheduler: a prompt yields the first token and every further step one") {
  Scheduler s{{}, room(10)};
  std::vector<Admitted> admitted;
  REQUIRE(s.arrive(request(5, 30, 3)));
  const StepLoad& prefill = s.plan(admitted);
  CHECK(ids(admitted) == Ids{5});
  REQUIRE(prefill.sequences.size() == 1);
  CHECK(prefill.sequences[0].request == RequestId{5});
  CHECK(prefill.sequences[0].context == 0);
  CHECK(prefill.sequences[0].new_tokens == 30);
  CHECK(prefill.sequences[0].outputs);
  CHECK(s.complete().front().tokens == 1);

  // The first output token is not in the cache yet: the next step puts it there.
  const SequenceWork second = s.plan(admitted).sequences.front();
  CHECK(second.context == 30);
  CHECK(second.new_tokens == 1);
  CHECK(!s.complete().front().finished);
  const SequenceWork third = s.plan(admitted).sequences.front();
  CHECK(third.context == 31);
  CHECK(s.complete().front().finished);
  CHECK(s.plan(admitted).sequences.empty());
}

TEST_CASE("Scheduler: a request for one token is done with its prompt") {
  Scheduler s{{}, room(10)};
  std::vector<Admitted> admitted;
  REQUIRE(s.arrive(request(0, 9, 1)));
  s.plan(admitted);
  const auto& progress = s.complete();
  REQUIRE(progress.size() == 1);
  CHECK(progress[0].tokens == 1);
  CHECK(progress[0].finished);
  CHECK(s.running() == 0);
  CHECK(s.kv().reserved() == Bytes{0});
}

TEST_CASE("Scheduler: long prompts go in chunks and only the last one yields a token") {
  Scheduler s{{.prefill_tokens = 40}, room(100)};
  std::vector<Admitted> admitted;
  REQUIRE(s.arrive(request(0, 100, 2)));
  std::vector<std::int64_t> chunks, contexts;
  std::vector<std::int64_t> tokens;
  for (int step = 0; step < 3; ++step) {
    const SequenceWork work = s.plan(admitted).sequences.at(0);
    chunks.push_back(work.new_tokens);
    contexts.push_back(work.context);
    CHECK(work.outputs == (step == 2));
    tokens.push_back(s.complete().at(0).tokens);
  }
  CHECK(chunks == std::vector<std::int64_t>{40, 40, 20});
  CHECK(contexts == std::vector<std::int64_t>{0, 40, 80});
  CHECK(tokens == std::vector<std::int64_t>{0, 0, 1});
}

TEST_CASE("Scheduler: the prefill budget is shared oldest first and decodes ride beside it") {
  Scheduler s{{.prefill_tokens = 50}, room(100)};
  std::vector<Admitted> admitted;
  REQUIRE(s.arrive(request(0, 10, 9)));
  s.plan(admitted);
  s.complete();
  for (const std::uint64_t id : {1, 2, 3}) REQUIRE(s.arrive(request(id, 30, 9)));
  const StepLoad& load = s.plan(admitted);
  CHECK(ids(admitted) == Ids{1, 2, 3});
  // The decode, a whole prompt, and what is left for the next; the last gets nothing.
  REQUIRE(load.sequences.size() == 3);
  CHECK(load.sequences[0].request == RequestId{0});
  CHECK(load.sequences[0].new_tokens == 1);
  CHECK(load.sequences[1].new_tokens == 30);
  CHECK(load.sequences[1].outputs);
  CHECK(load.sequences[2].request == RequestId{2});
  CHECK(load.sequences[2].new_tokens == 20);
  CHECK(!load.sequences[2].outputs);
  CHECK(s.complete().size() == 3);
  const StepLoad& next = s.plan(admitted);
  REQUIRE(next.sequences.size() == 4);
  CHECK(next.sequences[2].new_tokens == 10);
  CHECK(next.sequences[3].request == RequestId{3});
  CHECK(next.sequences[3].context == 0);
}

TEST_CASE("Scheduler: the batch limit holds and freed places are taken in order of arrival") {
  Scheduler s{{.max_batch = 2}, room(100)};
  std::vector<Admitted> admitted;
  for (const std::uint64_t id : {0, 1, 2, 3}) REQUIRE(s.arrive(request(id, 4, id == 0 ? 1 : 2)));
  s.plan(admitted);
  CHECK(ids(admitted) == Ids{0, 1});
  CHECK(s.waiting() == 2);
  s.complete();  // 0 is done
  s.plan(admitted);
  CHECK(ids(admitted) == Ids{2});
  CHECK(s.running() == 2);
}

TEST_CASE("Scheduler: a static batch takes nobody until the last of it has its answer") {
  Scheduler s{{.max_batch = 2, .batching = Batching::Static}, room(100)};
  std::vector<Admitted> admitted;
  for (const auto& r : {request(0, 5, 1), request(1, 5, 4), request(2, 5, 2)}) REQUIRE(s.arrive(r));
  std::vector<Ids> joined;
  std::vector<std::size_t> sizes;
  for (int step = 0; step < 6; ++step) {
    sizes.push_back(s.plan(admitted).sequences.size());
    joined.push_back(ids(admitted));
    s.complete();
  }
  CHECK(joined == std::vector<Ids>{{0, 1}, {}, {}, {}, {2}, {}});
  CHECK(sizes == std::vector<std::size_t>{2, 1, 1, 1, 1, 1});
}

TEST_CASE("Scheduler: nobody overtakes a request that waits for pages") {
  Scheduler s{{}, room(4)};
  std::vector<Admitted> admitted;
  REQUIRE(s.arrive(request(0, 30, 2)));  // two pages
  REQUIRE(s.arrive(request(1, 40, 2)));  // three: has to wait
  REQUIRE(s.arrive(request(2, 4, 2)));   // one would be free
  s.plan(admitted);
  CHECK(ids(admitted) == Ids{0});
  CHECK(s.waiting() == 2);
  s.complete();
  s.plan(admitted);
  CHECK(admitted.empty());
  s.complete();  // 0 is done
  s.plan(admitted);
  CHECK(ids(admitted) == Ids{1, 2});
}

TEST_CASE("Scheduler: what no empty machine could hold is refused at arrival") {
  Scheduler s{{}, room(4)};
  CHECK(s.arrive(request(0, 60, 4)));  // exactly four pages
  CHECK(!s.arrive(request(1, 60, 5)));
  CHECK(!s.arrive(request(2, 1'000'000, 1)));
  CHECK(s.waiting() == 1);
}

TEST_CASE("Scheduler: pages are reserved for the whole life at admission") {
  Scheduler s{{}, room(10)};
  std::vector<Admitted> admitted;
  REQUIRE(s.arrive(request(0, 20, 40)));
  s.plan(admitted);
  CHECK(s.kv().reserved() == Bytes{4 * 1600});
  CHECK(s.kv().used() == Bytes{0});
  s.complete();
  CHECK(s.kv().used() == Bytes{20 * 100});
  s.plan(admitted);
  s.complete();
  CHECK(s.kv().used() == Bytes{21 * 100});
  CHECK(s.kv().reserved() == Bytes{4 * 1600});
}

TEST_CASE("Scheduler: requests go to the replica with most free pages") {
  Scheduler s{{}, room(10, 2)};
  std::vector<Admitted> admitted;
  REQUIRE(s.arrive(request(0, 90, 2)));
  for (const std::uint64_t id : {1, 2, 3}) REQUIRE(s.arrive(request(id, 14, 2)));
  const StepLoad& load = s.plan(admitted);
  std::vector<std::int32_t> replicas;
  for (const SequenceWork& work : load.sequences) replicas.push_back(work.replica);
  CHECK(replicas == std::vector<std::int32_t>{0, 1, 1, 1});
}

TEST_CASE("Scheduler: a resumed stream decodes at once from its context") {
  Scheduler s{{.max_batch = 2}, room(10)};
  std::vector<Admitted> admitted;
  CHECK(s.resume(RequestId{7}, 100, 2));
  CHECK(s.kv().used() == Bytes{100 * 100});
  CHECK(s.kv().reserved() == Bytes{7 * 1600});
  const StepLoad& load = s.plan(admitted);
  CHECK(admitted.empty());
  REQUIRE(load.sequences.size() == 1);
  CHECK(load.sequences[0].context == 100);
  CHECK(load.sequences[0].new_tokens == 1);
  CHECK(load.sequences[0].outputs);
  CHECK(s.complete().at(0).tokens == 1);
  s.plan(admitted);
  CHECK(s.complete().at(0).finished);
  CHECK(s.kv().used() == Bytes{0});
  CHECK(s.kv().reserved() == Bytes{0});
}

TEST_CASE("Scheduler: no stream is resumed beyond the batch or the pages") {
  Scheduler batch{{.max_batch = 1}, room(10)};
  CHECK(batch.resume(RequestId{0}, 10, 1));
  CHECK(!batch.resume(RequestId{1}, 10, 1));
  Scheduler pages{{}, room(10)};
  CHECK(pages.resume(RequestId{0}, 100, 12));
  CHECK(!pages.resume(RequestId{1}, 100, 12));
  CHECK(pages.running() == 1);
}
