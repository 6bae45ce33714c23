-- The benchmarks' own code: statistics, tables, JSON, the corpus, and that all of them are listed.
-- Nothing is timed here.
local core = require "gru.core"
local json = require "dkjson"

local BENCH = "tests/bench"
local before = package.path
package.path = BENCH .. "/?.lua;" .. package.path
local article = require "lib.article"
local Context = require "lib.context"
local corpus = require "lib.corpus"
local flops = require "lib.flops"
local machine = require "lib.machine"
local process = require "lib.process"
local report = require "lib.report"
local stats = require "lib.stats"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local function names_in(folder, extension)
  local names = {}
  for line in process.capture(("ls %s/%s"):format(BENCH, folder)):gmatch "[^\n]+" do
    names[#names + 1] = line:match("^([%w_]+)%." .. extension .. "$")
  end
  return names
end

describe("statistics", function()
  it("have medians and spreads", function()
    assert.equal(3, stats.median {5, 1, 3})
    assert.equal(2.5, stats.median {4, 1, 2, 3})
    assert.same({median = 20, min = 10, max = 40, n = 3}, stats.summary({2, 1, 4}, 10))
    assert.same({median = 5, min = 2.5, max = 10, n = 3}, stats.rate({2, 1, 4}, 10))
    local list = {3, 1, 2}
    stats.median(list)
    assert.same({3, 1, 2}, list)
  end)

  it("say how many times as good", function()
    local two, six = {median = 2}, {median = 6}
    assert.equal(3, stats.ratio(two, six, "less"))
    assert.equal(3, stats.ratio(six, two, "more"))
  end)

  it("compare number by number", function()
    assert.same({2, 0.5}, stats.ratios({4, 2}, {2, 4}))
  end)

  it("count the operations of the article", function()
    -- per iteration: 3 * 0.44 in the recurrence, 3 * 0.589 in the output layer
    assert.near(3.09e9, flops.gru(32, 35, 256, 1027), 5e6)
    assert.equal(3 * 2 * (2 * 3 * 4 * 3 * 4 + 2 * 3 * 4 * 5), flops.gru(2, 3, 4, 5))
    assert.equal(3 * 2 * 2 * 3 * 4 * 12, flops.recurrence(2, 3, 4))
    assert.equal(4 * (6 + 8 + 10 + 6 + 3 + 5 + 14 + 98), flops.passes(1, 1, 1, 1))
    assert.equal(2 * 8, flops.matmul(2))
    assert.equal(8, article.iterations(10000))
  end)
end)

describe("the synthetic corpus", function()
  it("has the size and the vocabulary of the article's, and is always the same", function()
    local text = corpus.text(article.CHARS, article.VOCAB, 1)
    local seen, counts = 0, {}
    for _, code in utf8.codes(text) do
      if not counts[code] then seen = seen + 1 end
      counts[code] = (counts[code] or 0) + 1
    end
    assert.equal(article.CHARS, utf8.len(text))
    assert.equal(article.VOCAB, seen)
    local order = {}
    for _, n in pairs(counts) do order[#order + 1] = n end
    table.sort(order, function(a, b) return a > b end)
    assert.is_true(order[1] > 800 and order[100] < 50) -- Zipf: about 1,200, and a hundredth of it
    assert.equal(text, corpus.text(article.CHARS, article.VOCAB, 1))
    assert.not_equal(text, corpus.text(article.CHARS, article.VOCAB, 2))
  end)

  it("can be written large", function()
    local path = os.tmpname()
    corpus.write_large(path, 5000, 100, 1, 1000)
    assert.equal(5000, utf8.len(read(path)))
    os.remove(path)
  end)
end)

describe("turns", function()
  local function context(settings)
    settings.log = settings.log or function() end
    return Context.new(settings)
  end

  -- A side that gives the numbers of a list one by one, and notes its turns.
  local function side(label, turns, values)
    local i = 0
    return {
      label = label,
      run = function()
        i = i + 1
        turns[#turns + 1] = label
        return values[i] and {x = {values[i], values[i] + 1}}
      end,
    }
  end

  it("alternate, and gather all samples", function()
    local turns = {}
    local gathered = context {rounds = 3}:turns {side("a", turns, {1, 3, 5}), side("b", turns, {10, 20, 30})}
    assert.equal("a b a b a b", table.concat(turns, " "))
    assert.same({{x = {1, 2, 3, 4, 5, 6}}, {x = {10, 11, 20, 21, 30, 31}}}, gathered)
  end)

  it("leave out a side that fails", function()
    local said = {}
    local c = context {rounds = 2, log = function(line) said[#said + 1] = line end}
    local gathered = c:turns {side("a", {}, {1}), side("b", {}, {2, 3})}
    assert.is_nil(gathered[1])
    assert.same({x = {2, 3, 3, 4}}, gathered[2])
    assert.truthy(table.concat(said, "\n"):find("a: failed", 1, true))
  end)

  it("ask the slow one of two rivals once", function()
    local turns = {}
    local fast, slow = side("fast", turns, {1, 2, 3}), side("slow", turns, {9, 9, 9})
    local other, clock, now = side("other", turns, {1, 2, 3}), core.clock, 0
    fast.is_rival, slow.is_rival = true, true
    core.clock = function() -- fast takes 1 second, slow 3, other 9
      local took = ({fast = 1, slow = 3, other = 9})[turns[#turns]] or 0
      now = now + took
      return now
    end
    local gathered = context {rounds = 3}:turns {fast, slow, other}
    core.clock = clock
    assert.equal("fast slow other fast other fast other", table.concat(turns, " "))
    assert.same({x = {9, 10}}, gathered[2])
  end)

  it("run commands that print an object on their last line", function()
    local command = "echo words; echo '{\"x\": [1.5]}'"
    local gathered = context {rounds = 2}:turns {{label = "sh", command = command}}
    assert.same({{x = {1.5, 1.5}}}, gathered)
    assert.is_nil((process.object "echo words"))
    assert.is_nil((process.object "echo '{}'; false"))
  end)

  it("quote what a shell would read otherwise", function()
    local text = process.capture("printf %s " .. process.quote "a 'b' $c 分")
    assert.equal("a 'b' $c 分", text)
    assert.equal("a=1 'b=x y'", process.arguments {b = "x y", a = 1})
  end)

  it("pair gru-lua at the most threads with PyTorch's best", function()
    local duel = {
      ours = {[1] = {t = {4}}, [2] = {t = {2, 2, 3}}}, peer = {[1] = {t = {6, 6, 8}}, [2] = {t = {9}}},
    }
    local rows = context {threads = {1, 2}}:rows(duel, {
      {key = "t", title = "time", unit = "ms", scale = 1000},
      {key = "t", title = "rate", unit = "1/s", scale = 1, rate = true},
      {key = "missing", title = "nothing", unit = "s", scale = 1},
    })
    assert.equal(2, #rows)
    assert.same({median = 2000, min = 2000, max = 3000, n = 3, threads = 2}, rows[1].ours)
    assert.same({median = 6000, min = 6000, max = 8000, n = 3, threads = 1}, rows[1].peer)
    assert.equal(3, stats.ratio(rows[1].ours, rows[1].peer, rows[1].better))
    assert.equal("more", rows[2].better)
    assert.equal(1, rows[2].peer.threads)
    assert.is_nil(context {threads = {1}}:rows({ours = {duel.ours[1]}, peer = {}}, {
      {key = "t", title = "time", unit = "s", scale = 1},
    })[1].peer)
  end)

  it("tell both sides the same", function()
    local c = context {program = "gru-lua", python = "python3"}
    local args = {threads = 2, count = 7}
    assert.equal("gru-lua tests/bench/ours/x.lua count=7 threads=2", c:ours("x", args).command)
    assert.truthy(c:torch("x", args).command:find("OPENBLAS_NUM_THREADS=2 .*peers/x.py count=7 threads=2$"))
  end)
end)

describe("reports", function()
  local function sample()
    return {
      machine = {cpu = "a CPU", cores = 2, openblas = "OpenBLAS 1", commit = "abc", date = "2030-01-02"},
      settings = {rounds = 2},
      results = {{
        name = "one", about = "something", rows = {
          {
            figure = "epoch", unit = "ms", better = "less", ours = {median = 10, min = 9, max = 12, n = 3},
            peer = {median = 25, min = 20, max = 30, n = 3},
          },
          {figure = "share", unit = "%", better = "more", ours = {median = 0.5}},
          {
            figure = "-e ''", unit = "ms", better = "less", ours = {median = 2, min = 1, max = 3, n = 5},
            peer = {median = 1, min = 1, max = 1, n = 5}, peer_name = "lua5.4",
          },
        },
      }},
    }
  end

  it("show three digits", function()
    local want = {[0] = "0", [1234.5] = "1234", [123.45] = "123", [12.345] = "12.3", [0.012345] = "0.0123"}
    for x, text in pairs(want) do assert.equal(text, report.number(x)) end
  end)

  it("are tables", function()
    local text = report.table(sample().results[1])
    local lines = {}
    for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line:gsub("%s+", " ") end
    assert.same({
      "## one: something", "figure gru-lua spread peer spread times as good",
      "epoch 10.0 ms 9.00 .. 12.0 PyTorch 25.0 ms 20.0 .. 30.0 2.50x", "share 0.500 %",
      "-e '' 2.00 ms 1.00 .. 3.00 lua5.4 1.00 ms 1.00 .. 1.00 0.500x",
    }, lines)
  end)

  it("are JSON", function()
    local all = assert(json.decode(report.json(sample())))
    local row = all.results[1].rows[1]
    assert.equal("one", all.results[1].name)
    assert.same({median = 10, min = 9, max = 12, n = 3}, row.ours)
    assert.equal(2.5, row.times)
    assert.is_nil(all.results[1].rows[2].peer)
    assert.equal("a CPU", all.machine.cpu)
  end)

  it("go between the two comments of README.md", function()
    local all = sample()
    local markdown = report.markdown(all, machine.line(all.machine))
    assert.truthy(markdown:find("^a CPU, 2 cores; OpenBLAS 1; no PyTorch; commit abc, 2030%-01%-02%.\n"))
    assert.truthy(markdown:find("\n| one: epoch | 10.0 ms | 25.0 ms, PyTorch | 2.50x |", 1, true))
    assert.truthy(markdown:find("\n| one: share | 0.500 % |  |  |", 1, true))
    local readme = read "README.md"
    local once = assert(report.replace(readme, markdown))
    assert.truthy(once:find(markdown, 1, true))
    assert.equal(once, report.replace(once, markdown))
    assert.equal(readme:match "^(.-)<!%-%- bench", once:match "^(.-)<!%-%- bench")
    assert.equal(readme:match "bench: end.*$", once:match "bench: end.*$")
    local none, problem = report.replace("no comments", markdown)
    assert.is_nil(none)
    assert.truthy(problem:find "no lines")
  end)

  it("go there by a program, but for quick runs", function()
    local results, readme = os.tmpname(), os.tmpname()
    local function write(path, text)
      local file = assert(io.open(path, "w"))
      file:write(text)
      file:close()
    end
    local command = ("lua5.4 %s/readme.lua %s %s 2>&1"):format(BENCH, results, readme)
    write(readme, "Top\n<!-- bench: written by tests/bench/readme.lua -->\nold\n"
      .. "<!-- bench: end -->\nBottom\n")
    write(results, report.json(sample()))
    assert.equal("", (process.capture(command)))
    local text = read(readme)
    assert.truthy(text:find("^Top\n") and text:find("\nBottom\n$") and text:find("| one: epoch |", 1, true))
    assert.is_nil(text:find("old", 1, true))
    local quick = sample()
    quick.settings.quick = true
    write(results, report.json(quick))
    assert.truthy(process.capture(command):find("quick run", 1, true))
    assert.equal(text, read(readme))
    os.remove(results)
    os.remove(readme)
  end)

  it("name the flavour of OpenBLAS", function()
    assert.equal("OpenBLAS 0.3.21 (pthread)",
      machine.blas_of "/usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblasp-r0.3.21.so")
    assert.equal("OpenBLAS 0.3.29 (openmp)",
      machine.blas_of "/usr/lib/openblas-openmp/libopenblaso-r0.3.29.so")
  end)
end)

describe("the benchmarks", function()
  local program = process.quote(os.getenv "GRU_LUA" or "build/gru-lua")

  it("are all listed, and say what they measure", function()
    local listed = {}
    for line in process.capture(("%s %s/run.lua --list"):format(program, BENCH)):gmatch "[^\n]+" do
      local name, about = line:match "^([%w_]+)%s+(%S.*)$"
      assert(name, line)
      listed[#listed + 1] = name
      assert.is_true(#about > 20)
    end
    table.sort(listed)
    assert.same(names_in("cases", "lua"), listed)
  end)

  it("have a peer for all but loading and the parts, and say what their scripts do", function()
    local peers = {loading = true, parts = true}
    for _, name in ipairs(names_in("peers", "py")) do
      peers[name] = true
      assert.truthy(read(("%s/peers/%s.py"):format(BENCH, name)):find '^"""%a.-%."""\n', name)
    end
    for _, name in ipairs(names_in("ours", "lua")) do
      assert(peers[name], name .. " has no peer")
      assert.truthy(read(("%s/ours/%s.lua"):format(BENCH, name)):find "^%-%- %a[^\n]+%.\n", name)
    end
  end)

  it("refuse what they do not know", function()
    local text, ok = process.capture(("%s %s/run.lua --only nothing 2>&1"):format(program, BENCH))
    assert.is_false(ok)
    assert.truthy(text:find("bench: no benchmark 'nothing'", 1, true))
    text, ok = process.capture(("%s %s/run.lua --rounds none 2>&1"):format(program, BENCH))
    assert.is_false(ok)
    assert.is_nil(text:find("stack traceback", 1, true))
  end)
end)

package.path = before
