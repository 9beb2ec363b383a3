# Those who ask: one request with its answer looked at, or many whose failures are counted. Sourced by docker/check.

sentence='{"text": "A small dog runs across the grass.", "source": "en", "target": "de"}'

translate() { curl -sS --fail-with-body -m 20 "$url/v1/translate" -H 'Content-Type: application/json' -d "$sentence"; }
caption() { curl -sS --fail-with-body -m 20 "$url/v1/caption" -F file=@docs/photos/astronaut.jpg; }

# filed TEXT: a file with that text is brought and fetched, by requests of their own, none of which may not know it
filed() {
  local at
  at=$(printf '%s\n' "$1" | curl -sS --fail-with-body -m 20 "$url/v1/files" -F 'file=@-;filename=a.txt' -F source=en -F target=de |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["url"])') || return 1
  until_true 30 answered_with "200 404" "$url$at/result" && [ "$answered" = 200 ]
}

# answered_with "STATUS …" URL: it is answered with one of these, kept in $answered; the body is $work/filed
answered_with() {
  answered=$(curl -sS -m 20 -o "$work/filed" -w '%{http_code}' "$2")
  case " $1 " in *" $answered "*) ;; *) return 1 ;; esac
}

# shown ANSWER KIND: its text, if it is an answer with a map of that kind
shown() {
  python3 - "$1" "$2" <<'PYTHON'
import json, sys
try:
    [result] = json.loads(sys.argv[1])["results"]
except (KeyError, TypeError, ValueError):
    sys.exit(f"no answer: {sys.argv[1][:1000]}")
weights = result["attention"]["weights"]
assert result["text"].strip() and result["finish_reason"] == "stop", result["text"]
assert result["attention"]["kind"] == sys.argv[2] and len(weights) == len(result["attention"]["queries"])
print(f'"{result["text"]}", {len(weights)} x {len(weights[0])} weights')
PYTHON
}

# crowd N: so many translations, eight at a time, in the background; what became of each is a line in $work/crowd
crowd() {
  : >"$work/crowd"
  seq "$1" | xargs -P 8 -I{} curl -s -o /dev/null -m 40 -w '%{http_code}\n' "$url/v1/translate" \
    -H 'Content-Type: application/json' -d "$sentence" >>"$work/crowd" 2>/dev/null &
  crowd_process=$!
  crowd_size=$1
  until_true 10 [ -s "$work/crowd" ]
}

# nobody_lost WHAT: every one of the crowd was answered
nobody_lost() {
  wait "$crowd_process" || true
  local answered
  answered=$(grep -c '^200$' "$work/crowd" || true)
  [ "$answered" -eq "$crowd_size" ] || fail "$1: $((crowd_size - answered)) of $crowd_size lost: $(sort "$work/crowd" | uniq -c | tr '\n' ' ')"
  say "$1: 0 of $crowd_size requests lost"
}
