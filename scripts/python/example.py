#!/usr/bin/env python3
# %% [markdown]
# How many H100 does it take to serve a Claude-class model as fast as one reference ASIC node?
# Cells as of a notebook (`# %%`: VS Code, Spyder, jupytext); as a script: python3 example.py

# %%
import reticle

print(reticle.version())
print("platforms:", ", ".join(reticle.catalogue("platforms")))

# %% One node of the reference ASIC, 64 streams
asic = reticle.run("ref-asic", "claude-class-mid", "steady-64")
print(f"ref-asic: {asic.throughput.output_tokens_per_s:,.0f} tokens/s, {asic.energy.per_token_j:.2f} J/token, "
      f"{asic.cost.usd_per_m_tokens:.2f} USD/Mtokens")

# %% Growing H100 deployments; what does not hold the model is an error, and says what would
sizes = [1, 2, 4, 6]
reports = reticle.run_many([{"platform": "h100-8", "llm": "claude-class-mid", "workload": "steady-64",
                             "sets": {"platform.nodes": n}} for n in sizes])
for nodes, report in zip(sizes, reports):
    if isinstance(report, reticle.Infeasible):
        print(f"{8 * nodes:3} H100: {report}")

# %% Side by side; .to_pandas() makes a DataFrame of it
fit = [report for report in reports if not isinstance(report, reticle.Error)]
rows = reticle.table([asic, *fit], "inputs.platform", "deployment.packages", "throughput.output_tokens_per_s",
                     "energy.per_token_j", "cost.usd_per_m_tokens")
for row in rows:
    print(f"{row['inputs.platform']:10} x {row['deployment.packages']:3}  {row['throughput.output_tokens_per_s']:10,.0f} tokens/s  "
          f"{row['energy.per_token_j']:7.2f} J/token  {row['cost.usd_per_m_tokens']:7.2f} USD/Mtokens")

# %% Where the time of the ASIC goes
for part, share in sorted(asic.time_breakdown.items(), key=lambda kv: -kv[1]):
    if share > 0.02:
        print(f"{part:18} {share:6.1%}")
