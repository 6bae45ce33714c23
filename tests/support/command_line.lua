--- Command lines in a scratch folder, run by gru-lua or by stock lua5.4.
--
--   GRU_LUA    the program to test (default build/gru-lua)
--   STOCK_LUA  what it is compared with (default lua5.4)
local command_line = {}

--- What a command prints.
function command_line.capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("a")
  pipe:close()
  return text
end

local function absolute(path)
  if path:find("^/") or not path:find("/") then return path end
  return command_line.capture("pwd"):gsub("\n", "") .. "/" .. path
end

command_line.program = absolute(os.getenv("GRU_LUA") or "build/gru-lua")
command_line.stock = absolute(os.getenv("STOCK_LUA") or "lua5.4")
local dir = os.tmpname()

--- Writes a file of the scratch folder.
function command_line.write_file(name, text)
  local file = assert(io.open(dir .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

local function read_file(name)
  local file = io.open(dir .. "/" .. name)
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

local CLEAN_ENVIRONMENT = [[
unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4 LUA_CPATH LUA_CPATH_5_4 INPUTRC
TERM=dumb; LC_ALL=C; export TERM LC_ALL
]]

--- Runs shell text in the scratch folder, with $LUA set to `program`.
-- @return {out =, err =, status =}, with the program's name written as PROGRAM
function command_line.run(program, command, stdin)
  command_line.write_file("stdin", stdin or "")
  command_line.write_file("command.sh", CLEAN_ENVIRONMENT .. "LUA='" .. program .. "'\n" .. command .. "\n")
  local _, _, status = os.execute(("cd '%s' && timeout 100 sh command.sh <stdin >out 2>err"):format(dir))
  local result = {status = status}
  local pattern = program:gsub("%p", "%%%0")
  for _, name in ipairs {"out", "err"} do
    result[name] = read_file(name):gsub(pattern, "PROGRAM"):gsub("\nusage:.*", "\nusage\n")
      :gsub("0x%x+", "ADDRESS")
  end
  return result
end

--- `run` of gru-lua.
function command_line.gru(command, stdin)
  return command_line.run(command_line.program, command, stdin)
end

--- What a session printed.  A stock lua with readline echoes a piped input, a line editor's
-- prompt comes before the results: both go.
function command_line.without_prompts(text, stdin)
  local typed, lines = {}, {}
  for line in (stdin .. "\n"):gmatch("(.-)\n") do typed[line:match("^[> ]*(.*)")] = true end
  for line in text:gmatch("[^\n]+") do
    line = line:match("^[> ]*(.*)")
    if line ~= "" and not typed[line] then lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n")
end

--- Makes the folder with the scripts that command lines name.
function command_line.make_folder()
  local write_file = command_line.write_file
  os.remove(dir)
  assert(os.execute("mkdir '" .. dir .. "'"))
  write_file("args.lua", [[
    print("dots", select("#", ...), ...)
    local low = 0
    while arg[low - 1] do low = low - 1 end
    for i = low, #arg do print(i, arg[i]) end]])
  write_file("fail.lua", "local function f() error('boom') end\nlocal function g() f() end\ng()\n")
  write_file("syntax.lua", "x = = 1\n")
  write_file("shebang.lua", "#!/usr/bin/env lua\nprint('after the first line')\n")
  write_file("mod.lua", "print('mod', ...) return {value = 5}\n")
  write_file("a-b.lua", "print('a-b', ...) return {}\n")
  write_file("no.lua", "return nil\n")
  write_file("broken.lua", "error('cannot load')\n")
  write_file("startup.lua", "print('startup', ...) started = true\n")
  write_file("-", "print('a file called -', ...)\n")
  write_file("-x.lua", "print('a file called -x.lua')\n")
  write_file("ready.lua", "local f = assert(io.open('ready', 'w')) f:write('x') f:close()\n")
  write_file("tiny_spec.lua", "describe('a', function() it('b', function() "
    .. "assert.truthy(require 'lfs') end) end)\n")
end

--- Removes the folder.
function command_line.remove_folder()
  os.execute("rm -rf '" .. dir .. "'")
end

return command_line
