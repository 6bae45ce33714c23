--- Random numbers of their own: a stream that depends on its seed alone, and disturbs no other.
--
-- SplitMix64 (Steele et al. 2014).  The library draws from it where a script gives a `seed`: the order
-- of a DataLoader, the characters of `gru.text.generate`.
-- @module gru.stream
local Stream = {}
Stream.__index = Stream

--- A new stream.
-- @tparam integer seed
-- @return a stream; its field `state` is an integer that says all of where it stands
function Stream.new(seed) return setmetatable({state = seed}, Stream) end

--- The next 63 bits, as an integer from 0 on.
function Stream:bits()
  self.state = self.state + 0x9E3779B97F4A7C15
  local z = self.state
  z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
  z = (z ~ (z >> 27)) * 0x94D049BB133111EB
  return (z ~ (z >> 31)) >> 1
end

--- One of 1 .. n.
function Stream:below(n) return self:bits() % n + 1 end

--- A float in [0, 1).
function Stream:uniform() return (self:bits() >> 10) * 2.0 ^ -53 end

return Stream
