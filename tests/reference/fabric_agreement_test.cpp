// SPDX-License-Identifier: Apache-2.0
// Transactions beside flits: collectives of 64 B to 4 MiB, many draws. RETICLE_SEED draws others;
// with RETICLE_VALIDATION set to a folder the rows are written there as fabric_transaction.csv.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/models/fabric_agreement.hpp"
#include "tests/reference/validation_csv.hpp"

namespace reticle {

TEST_CASE("Fabric: transactions take the time of flits, collectives of any size") {
  const char* seed = std::getenv("RETICLE_SEED");
  const auto rows = compare_forms(seed == nullptr ? 7 : std::stoull(seed), 5, 4 << 20);
  ValidationCsv csv{"fabric_transaction.csv",
                    "fabric,collective,bytes,joined,transaction_ns,cycle_ns,error_percent,"
                    "limit_percent"};
  for (const AgreementRow& row : rows)
    csv.row(row.fabric, row.collective, row.bytes, row.late ? "at different times" : "at once",
            row.transaction, row.cycle, 100 * row.error(), row.corner ? 0 : 100 * kAgreement);
  check_agreement(rows);
}

}  // namespace reticle
