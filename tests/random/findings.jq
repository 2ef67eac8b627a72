# `dlwatch run --output=json` in the words that generate.c expects: one line a finding.
def function: [(. // [])[] | select((.file // "") | test("(dlwatch|custom)\\.h$") | not)] | .[0].function // "?";
def lock($locks; $mode):
  $locks[.] as $l
  | if $l == null then "?"
    elif $l.kind == "thread" then "thread"
    else "\($l.kind) \($l.name // "-")" + (if $l.kind == "rwlock" then " \($mode)" else "" end) end;
def hold($locks): .mode as $mode
  | (.lock | lock($locks; $mode)) + (if $locks[.lock].kind == "thread" then "" else " @\(.stack | function)" end);
def entry($locks):
  (.thread.name // "-") as $who
  | (.holds.thread.name // $who) as $holder
  | "\($holder) holds \(.holds | hold($locks)), "
    + (if $holder == $who then "" else "\($who) " end)
    + "wants \(.wants.mode as $mode | .wants.lock | lock($locks; $mode)) @\(.wants.stack | function)";
def rotated: . as $all | index(min) as $i | $all[$i:] + $all[:$i];
def state($locks):
  "\(.thread.name // "-") \(.waits // .state)\(if .for then " \(.for | lock($locks; "-") | sub(" -$"; ""))" else "" end) @\(.stack | function)"
  + ([(.holds // [])[] | ", holds \(hold($locks))"] | join(""));
def finding:
  .locks as $locks
  | "\(.kind) \(.severity) \(.certainty): "
    + (if .cycle then [.cycle[] | entry($locks)] | rotated else [(.threads // [])[] | state($locks)] | sort end
       | join("; "));
[.findings[] | finding] | sort[]
