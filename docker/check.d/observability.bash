# The part `observability`: Prometheus finds the service, takes its metrics, the alert rules and every expression of the
# dashboard. Sourced by docker/check.

check_observability() {
  fresh_stack --profile observability
  build heed
  stand_in prometheus
  up heed prometheus
  crowd 100
  nobody_lost "while Prometheus watches"
  caption >/dev/null
  until_true 45 watched || fail "Prometheus does not see the service"
  say "$(watched)"
  down
}

# watched: what Prometheus knows by now, if that is enough
watched() {
  python3 - "http://127.0.0.1:$PROMETHEUS_PORT" docker/grafana/dashboards/heed.json 2>"$work/watched.log" <<'PYTHON'
import json, sys, urllib.parse, urllib.request

def asked(path, **query):
    with urllib.request.urlopen(f"{sys.argv[1]}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=5) as answer:
        return json.load(answer)["data"]

targets = [one for one in asked("targets", state="active")["activeTargets"] if one["labels"]["job"] == "heed"]
assert targets and all(one["health"] == "up" for one in targets), targets
[translated] = asked("query", query='sum(heed_requests_total{route="/v1/translate", status="200"})')["result"]
assert float(translated["value"][1]) >= 100, "not scraped since"
rules = [rule for group in asked("rules")["groups"] for rule in group["rules"]]
assert rules and all(rule["health"] == "ok" for rule in rules), [rule["name"] for rule in rules if rule["health"] != "ok"]
firing = [rule["name"] for rule in rules if rule["state"] == "firing"]
assert not firing, firing
panels = [panel for panel in json.load(open(sys.argv[2]))["panels"] if panel["type"] != "row"]
silent = []
for panel in panels:
    for target in panel["targets"]:
        expression = target["expr"].replace("$__rate_interval", "1m").replace("$model", ".*")
        if not asked("query", query=expression)["result"]:
            silent.append(panel["title"])
assert len(silent) <= 3, silent  # nothing was refused, given up or replaced yet
print(f"{len(targets)} target up, {len(rules)} alert rules quiet, {len(panels)} panels understood; nothing yet for {sorted(set(silent))}")
PYTHON
}
