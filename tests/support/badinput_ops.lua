--- Calls that must be refused, one a line: `call --> part of the message`.
--
-- Ops, as functions and as methods. What the names stand for is said in `badinput_spec.lua`.
return [==[
x:foo()  --> a tensor has no method or attribute 'foo'
x.foo  --> a tensor has no method or attribute 'foo'
x.float()  --> float: a tensor expected, got nil
x.float(1)  --> float: a tensor expected, got number
x.double("a")  --> double: a tensor expected, got string
x.long()  --> long: a tensor expected, got nil
x.bool(nil)  --> bool: a tensor expected, got nil
x.cpu()  --> cpu: a tensor expected, got nil
x:cuda("a")  --> cuda: device 'cuda:a': expected a name such as "cpu" or "cuda:0"
x:cuda(99)  --> cuda: device 'cuda:99'
x:cuda(-1)  --> cuda: device 'cuda:-1': expected a name such as "cpu" or "cuda:0"
x:cuda(1.5)  --> cuda: device 'cuda:1.5': expected a name such as "cpu" or "cuda:0"
x:type_as()  --> type_as: a tensor expected, got nil
x:type_as(1)  --> type_as: a tensor expected, got number
x.type_as()  --> type_as: a tensor expected, got nil
gru.t()  --> t: a tensor expected, got nil
gru.ones(2, 2, 2):t()  --> t: expected 2 dims at most, got 3
gru.unbind()  --> unbind: a tensor expected, got nil
x:unbind(3)  --> unbind: dim 3 of a tensor with 2 dims
x:unbind("a")  --> unbind: dim a of a tensor with 2 dims
x:unbind(0)  --> unbind: dim 0 of a tensor with 2 dims
x:split()  --> split: a size of 1 or more expected, got nil
x:split(0)  --> split: a size of 1 or more expected, got 0
x:split(-1)  --> split: a size of 1 or more expected, got -1
x:split("a")  --> split: a size of 1 or more expected, got a
x:split(1.5)  --> split: a size of 1 or more expected, got 1.5
x:split({1, 3})  --> split: the sizes add up to 4, dim 1 has 2
x:split({1, "a"})  --> split: sizes must be integers from 0 on, size 2 is a
x:split({-1, 3})  --> split: sizes must be integers from 0 on, size 1 is -1
x:split(1, 3)  --> split: dim 3 of a tensor with 2 dims
x:split(1, "a")  --> split: dim a of a tensor with 2 dims
x:chunk()  --> chunk: a number of parts expected, got nil
x:chunk(0)  --> chunk: a number of parts expected, got 0
x:chunk("a")  --> chunk: a number of parts expected, got a
x:chunk(2, 5)  --> chunk: dim 5 of a tensor with 2 dims
x:chunk(2, {})  --> chunk: dim
x:flatten(3)  --> flatten: dim 3 of a tensor with 2 dims
x:flatten("a")  --> flatten: dim a of a tensor with 2 dims
x:flatten(2, 1)  --> flatten: the first dim, 2, comes after the last, 1
x:flatten(1, "a")  --> flatten: dim a of a tensor with 2 dims
gru.flatten(1)  --> flatten: a tensor expected, got number
x:expand_as()  --> expand_as: a tensor expected, got nil
x:expand_as(1)  --> expand_as: a tensor expected, got number
x:expand_as(v)  --> expand: [2, 3] does not expand to [4]
gru.expand_as(1, x)  --> expand_as: a tensor expected, got number
x:view_as()  --> view_as: a tensor expected, got nil
x:view_as(v)  --> view: [2, 3] has 6 elements, they do not make [4]
x:reshape_as(v)  --> reshape: [2, 3] has 6 elements, they do not make [4]
x:reshape_as({})  --> reshape_as: a tensor expected, got table
x:masked_fill()  --> masked_fill: the mask must be a bool tensor, got nil
x:masked_fill(b)  --> masked_fill: the value must be a number or a tensor, got nil
x:masked_fill(b, "a")  --> masked_fill: the value must be a number or a tensor, got string
x:masked_fill(x, 1)  --> masked_fill: the mask must be a bool tensor, got float32
x:masked_fill(v, 1)  --> masked_fill: the mask must be a bool tensor, got float32
x:masked_fill(1, 1)  --> masked_fill: the mask must be a bool tensor, got number
x:masked_fill_(b)  --> masked_fill_: the value must be a number or a tensor, got nil
x:masked_fill_(1, 1)  --> masked_fill_: the mask must be a bool tensor, got number
gru.masked_fill(1, b, 1)  --> masked_fill: a tensor expected, got number
x:addcmul()  --> addcmul: three tensors expected, number 2 is a nil
x:addcmul(x)  --> addcmul: three tensors expected, number 3 is a nil
x:addcmul(x, "a")  --> addcmul: three tensors expected, number 3 is a string
x:addcmul(1, 2)  --> addcmul: three tensors expected, number 2 is a number
x:addcmul(x, x, "a")  --> addcmul: value must be a number, got string
x:addcmul(v, x)  --> mul: shapes do not broadcast: [4] and [2, 3]
x:addcdiv()  --> addcdiv: three tensors expected, number 2 is a nil
x:addcdiv(x, nil)  --> addcdiv: three tensors expected, number 3 is a nil
x:addcdiv(v, x)  --> div: shapes do not broadcast: [4] and [2, 3]
x:addcmul_()  --> addcmul_: three tensors expected, number 2 is a nil
x:addcdiv_(x)  --> addcdiv_: three tensors expected, number 3 is a nil
gru.addcmul_(1, x, x)  --> addcmul_: three tensors expected, number 1 is a number
i:gelu()  --> gelu: wants floats, got int64
gru.gelu()  --> gelu: a tensor expected, got nil
gru.gelu(1)  --> gelu: a tensor expected, got number
x.zero_()  --> zero_: a tensor expected, got nil
gru.zero_(1)  --> zero_: a tensor expected, got number
gru.mm()  --> mm: a tensor expected, got nil
gru.mm(x, 1)  --> mm: a tensor expected, got number
gru.mm(x, v)  --> mm: wants 2 and 2 dims, got [2, 3] x [4]
gru.mm(x, x)  --> matmul: inner sizes differ: [2, 3] x [2, 3]
gru.mm(v, v)  --> mm: wants 2 and 2 dims, got [4] x [4]
gru.bmm(x, x)  --> bmm: wants 3 and 3 dims, got [2, 3] x [2, 3]
gru.bmm(gru.ones(2, 3, 4), gru.ones(3, 4, 2))  --> matmul: batch dims do not broadcast: [2, 3, 4] x [3, 4,
gru.mv(x, x)  --> mv: wants 2 and 1 dims, got [2, 3] x [2, 3]
gru.mv(x, v)  --> matmul: inner sizes differ: [2, 3] x [4]
gru.dot(x, v)  --> dot: wants 1 and 1 dims, got [2, 3] x [4]
gru.dot(v, gru.ones(3))  --> matmul: inner sizes differ: [4] x [3]
gru.outer()  --> outer: a tensor expected, got nil
gru.outer(v)  --> outer: a tensor expected, got nil
gru.outer(v, 1)  --> outer: a tensor expected, got number
gru.outer(x, v)  --> outer: wants two vectors, got [2, 3] and [4]
gru.outer(gru.tensor(1), v)  --> outer: wants two vectors, got [] and [4]
gru.addmm()  --> addmm: a tensor expected, got nil
gru.addmm(x)  --> mm: a tensor expected, got nil
gru.addmm(x, x, x)  --> matmul: inner sizes differ: [2, 3] x [2, 3]
gru.addmm(x, x)  --> mm: a tensor expected, got nil
gru.addmm(1, x, x:t())  --> addmm: a tensor expected, got number
gru.addmm(x, x, x:t(), 1)  --> addmm: options must be a table, got number
gru.addmm(x, x, x:t(), {gamma = 1})  --> addmm: unknown option 'gamma'
gru.addmm(gru.ones(2, 2), x, x:t(), {beta = "a"})  --> addmm: beta must be a number, got string
i:var()  --> var: wants floats, got int64
gru.var()  --> var: a tensor expected, got nil
x:var(3)  --> mean: dim out of range for a tensor of 2 dims: position 3
x:var("a")  --> bad argument #1 to 'mean' (dim (an integer) expected, got string)
x:var(1, 1)  --> bad argument #2 to 'sum' (keepdim (a boolean) expected, got number)
x:var(1, true, "a")  --> var: correction must be a number, got string
x:std(5)  --> mean: dim out of range for a tensor of 2 dims: position 5
i:std()  --> std: wants floats, got int64
gru.std(1)  --> std: a tensor expected, got number
i:norm()  --> norm: wants floats, got int64
x:norm("a")  --> norm: p must be a number or "fro", got a
x:norm(2, 5)  --> sum: dim out of range for a tensor of 2 dims: position 5
x:norm(0/0)  --> norm: p must be a number or "fro", got
x:norm(2, 1, 1)  --> bad argument #2 to 'sum' (keepdim (a boolean) expected, got number)
x:norm(math.huge, 7)  --> amax: dim out of range for a tensor of 2 dims: position 7
i:logsumexp(1)  --> logsumexp: wants floats, got int64
x:logsumexp("a")  --> logsumexp: dim a of a tensor with 2 dims
x:logsumexp(4)  --> logsumexp: dim 4 of a tensor with 2 dims
x:logsumexp(1, 1)  --> logsumexp: keepdim (a boolean) expected, got number
x:equal()  --> equal: a tensor expected, got nil
x:equal(1)  --> equal: a tensor expected, got number
gru.equal(1, x)  --> equal: a tensor expected, got number
x:allclose()  --> allclose: a tensor expected, got nil
x:allclose(1)  --> allclose: a tensor expected, got number
x:allclose(v)  --> sub: shapes do not broadcast: [2, 3] and [4]
x:allclose(x, {foo = 1})  --> isclose: unknown option 'foo'
x:allclose(x, {rtol = "a"})  --> isclose: rtol must be a number, got string
gru.allclose(1, 1)  --> allclose: a tensor expected, got number
i & i  --> logical_and: masks are bool tensors, got int64
b & x  --> logical_and: masks are bool tensors, got float32
b & "a"  --> logical_and: masks are bool tensors, got string
b | i  --> logical_or: masks are bool tensors, got int64
~i  --> ~: masks are bool tensors, got int64
b ~ x  --> logical_xor: masks are bool tensors, got float32
x < x  --> tensors have no order as a whole
x <= 1  --> tensors have no order as a whole
x.rows(1)  --> rows: a tensor expected, got number
gru.tensor(1):rows()  --> rows: a 0-d tensor has no rows
x:masked_select()  --> masked_select: a tensor expected, got nil
x:masked_select(1)  --> masked_select: a tensor expected, got number
x:masked_select(x)  --> masked_select: the mask must be a bool tensor, got float32
x:masked_select(v:gt(0))  --> where: shapes do not broadcast: [4] and [2, 3]
gru.masked_select(1, b)  --> masked_select: a tensor expected, got number
gru.nonzero()  --> bad argument #1 to 'nonzero' (tensor expected, got nothing)
gru.nonzero(1)  --> bad argument #1 to 'nonzero' (tensor expected, got number)
x:nonzero(1)  --> nonzero: too many arguments: 2, at most 1 expected
x.size()  --> bad argument #1 to 'size' (tensor expected, got nothing)
x.dim(1)  --> bad argument #1 to 'dim' (tensor expected, got number)
x.numel({})  --> bad argument #1 to 'numel' (tensor expected, got table)
x:nbytes(1)  --> nbytes: too many arguments: 2, at most 1 expected
x:stride("a")  --> bad argument #1 to 'stride' (dim (an integer) expected, got string)
x:stride(9)  --> stride: dim 9 of a tensor with 2 dims
gru.zeros(0):item()  --> item: expected one element, the shape is [0]
x.item(1)  --> bad argument #1 to 'item' (tensor expected, got number)
x:totable(1)  --> totable: too many arguments: 2, at most 1 expected
x.totable(1)  --> bad argument #1 to 'totable' (tensor expected, got number)
x:data_ptr(1)  --> data_ptr: too many arguments: 2, at most 1 expected
x.data_ptr(3)  --> bad argument #1 to 'data_ptr' (tensor expected, got number)
x:copy_()  --> bad argument #1 to 'copy_' (tensor or number expected, got nothing)
x:copy_("a")  --> bad argument #1 to 'copy_' (tensor or number expected, got string)
x:copy_(v)  --> copy_: [4] does not broadcast to [2, 3]
x:copy_(x, x)  --> copy_: too many arguments: 3, at most 2 expected
x:fill_()  --> bad argument #1 to 'fill_' (tensor or number expected, got nothing)
x:fill_("a")  --> bad argument #1 to 'fill_' (tensor or number expected, got string)
x:fill_(v)  --> fill_: expected one value, got shape [4]
x:fill_({})  --> bad argument #1 to 'fill_' (tensor or number expected, got table)
x:normal_("a")  --> bad argument #1 to 'normal_' (number expected, got string)
x:normal_(0, "a")  --> bad argument #2 to 'normal_' (number expected, got string)
x:normal_(0, -1)  --> normal_: std must not be negative, got -1
x:normal_(0, 1, 2)  --> normal_: too many arguments: 4, at most 3 expected
i:normal_()  --> normal_: wants a float tensor, got int64
x:uniform_("a")  --> bad argument #1 to 'uniform_' (number expected, got string)
x:uniform_(1, 0)  --> uniform_: no numbers from 1 to 0
x:uniform_(0, 1, 2)  --> uniform_: too many arguments: 4, at most 3 expected
i:uniform_()  --> uniform_: wants a float tensor, got int64
x:uniform_(0, math.huge)  --> uniform_: no numbers from 0 to inf
x:bernoulli_("a")  --> bad argument #1 to 'bernoulli_' (number expected, got string)
x:bernoulli_(2)  --> bernoulli_: a chance lies in 0 .. 1, got 2
x:bernoulli_(-1)  --> bernoulli_: a chance lies in 0 .. 1, got -1
x:bernoulli_(0.5, 1)  --> bernoulli_: too many arguments: 3, at most 2 expected
x:random_()  --> bad argument #1 to 'random_' (number expected, got no value)
i:random_(1)  --> bad argument #2 to 'random_' (number expected, got no value)
i:random_(3, 1)  --> random_: no integers from 3 up to, not including, 1
i:random_("a", 3)  --> bad argument #1 to 'random_' (number expected, got string)
i:random_(1, 3, 4)  --> random_: too many arguments: 4, at most 3 expected
x:random_(1.5, 3)  --> bad argument #1 to 'random_' (number has no integer representation)
x:requires_grad_("a")  --> bad argument #1 to 'requires_grad_' (boolean expected, got string)
i:requires_grad_()  --> requires_grad: only float tensors have gradients, this is int64
x:requires_grad_(true, 1)  --> requires_grad_: too many arguments: 3, at most 2 expected
x:retain_grad()  --> retain_grad: the tensor does not require grad
x:retain_grad(1)  --> retain_grad: too many arguments: 2, at most 1 expected
x:register_hook()  --> bad argument #1 to 'register_hook' (function expected, got no value)
x:register_hook(1)  --> bad argument #1 to 'register_hook' (function expected, got number)
x:register_hook(print)  --> register_hook: the tensor does not require grad, no gradient will come
x:remove_hook()  --> bad argument #1 to 'remove_hook' (number expected, got no value)
x:remove_hook("a")  --> bad argument #1 to 'remove_hook' (number expected, got string)
x:detach(1)  --> detach: too many arguments: 2, at most 1 expected
x.detach()  --> bad argument #1 to 'detach' (tensor expected, got nothing)
x:data(1)  --> data: too many arguments: 2, at most 1 expected
x.data(1)  --> bad argument #1 to 'data' (tensor expected, got number)
gru.ones(2, {requires_grad = true}):backward()  --> backward: only a one-element output has a gradient of
(gru.ones(2, {requires_grad = true})*2):backward()  --> backward: only a one-element output has a gradient
gru.ones(1, {requires_grad = true}):sum():backward(v)  --> backward: a gradient of float32 [4] for an
gru.ones(1, {requires_grad = true}):sum():backward("a")  --> bad argument #1 to 'backward' (table expected,
gru.ones(1, {requires_grad = true}):sum():backward(nil, 1)  --> bad argument #2 to 'backward' (table
gru.ones(1, {requires_grad = true}):sum():backward(nil, {foo = 1})  --> backward: unknown option 'foo'
gru.ones(1, {requires_grad = true}):sum():backward({foo = 1})  --> backward: unknown option 'foo'
x.backward()  --> bad argument #1 to 'backward' (tensor expected, got nothing)
x.requires_grad_()  --> bad argument #1 to 'requires_grad_' (tensor expected, got nothing)
gru.float(1)  --> float: a tensor expected, got number
gru.exp()  --> bad argument #1 to 'exp' (tensor or number expected, got nothing)
gru.exp(nil)  --> bad argument #1 to 'exp' (tensor or number expected, got nothing)
gru.exp("x")  --> bad argument #1 to 'exp' (tensor or number expected, got string)
gru.exp({})  --> bad argument #1 to 'exp' (tensor or number expected, got table)
gru.exp(1)  --> bad argument #1 to 'exp' (tensor expected, got number)
gru.exp(x, 1)  --> exp: too many arguments: 2, at most 1 expected
x:exp(1)  --> exp: too many arguments: 2, at most 1 expected
x:exp_(1)  --> exp_: too many arguments: 2, at most 1 expected
x.exp()  --> bad argument #1 to 'exp' (tensor or number expected, got nothing)
x.exp_()  --> bad argument #1 to 'exp_' (tensor expected, got nothing)
x.exp_("a")  --> bad argument #1 to 'exp_' (tensor expected, got string)
i:exp_()  --> exp_: a float32 result cannot be written over int64
gru.add()  --> bad argument #1 to 'add' (tensor or number expected, got nothing)
gru.add(x)  --> bad argument #2 to 'add' (tensor or number expected, got nothing)
gru.add(x, nil)  --> bad argument #2 to 'add' (tensor or number expected, got nothing)
gru.add(x, "1")  --> bad argument #2 to 'add' (tensor or number expected, got string)
gru.add(x, {})  --> bad argument #2 to 'add' (tensor or number expected, got table)
gru.add(1, 2)  --> bad argument #1 to 'add' (tensor expected, got number)
gru.add(x, x, x)  --> add: too many arguments: 3, at most 2 expected
x:add(v)  --> add: shapes do not broadcast: [2, 3] and [4]
x:add_(v)  --> add: shapes do not broadcast: [2, 3] and [4]
v:add_(gru.ones(2, 4))  --> add_: the result has shape [2, 4], it is written over [4]
i:add_(x)  --> add_: a float32 result cannot be written over int64
b:add_(i)  --> add_: a int64 result cannot be written over bool
x + "1"  --> bad argument #2 to 'add' (tensor or number expected, got string)
x + {}  --> bad argument #2 to 'add' (tensor or number expected, got table)
x + v  --> add: shapes do not broadcast: [2, 3] and [4]
nil + x  --> bad argument #1 to 'add' (tensor or number expected, got nothing)
x.add(nil, x)  --> bad argument #1 to 'add' (tensor or number expected, got nothing)
gru.where(b, x)  --> bad argument #3 to 'where' (tensor or number expected, got nothing)
gru.where(b, x, v)  --> where: shapes do not broadcast: [2, 3] and [4]
gru.clamp(x)  --> clamp: a lowest or a highest value expected
gru.clamp(x, "a")  --> bad argument #2 to 'clamp' (tensor or number expected, got string)
x:clamp_()  --> clamp: a lowest or a highest value expected
gru.lerp(x, x)  --> bad argument #3 to 'lerp' (tensor or number expected, got nothing)
gru.matmul()  --> bad argument #1 to 'matmul' (tensor expected, got nothing)
gru.matmul(x)  --> bad argument #2 to 'matmul' (tensor expected, got nothing)
gru.matmul(x, x)  --> matmul: inner sizes differ: [2, 3] x [2, 3]
gru.matmul(x, 1)  --> bad argument #2 to 'matmul' (tensor expected, got number)
gru.matmul(x, i)  --> matmul: inner sizes differ: [2, 3] x [2, 3]
gru.matmul(x, x:t(), 1)  --> matmul: too many arguments: 3, at most 2 expected
gru.matmul(gru.tensor(1), x)  --> matmul: both tensors need at least one dim: [] x [2, 3]
x:matmul("a")  --> bad argument #1 to 'matmul' (tensor expected, got string)
x:sum(0)  --> bad argument #1 to 'sum' (dim counts from 1, or from -1 backwards, got 0)
x:sum(3)  --> sum: dim out of range for a tensor of 2 dims: position 3
x:sum(-3)  --> sum: dim out of range for a tensor of 2 dims: -3
x:sum(1.5)  --> bad argument #1 to 'sum' (dim (an integer) expected, got number)
x:sum("x")  --> bad argument #1 to 'sum' (dim (an integer) expected, got string)
x:sum({1, 1})  --> sum: dim 1 is named twice
x:sum({1, "a"})  --> bad argument #1 to 'sum' (dims expected, got string)
x:sum({0})  --> bad argument #1 to 'sum' (dim counts from 1, or from -1 backwards, got 0)
x:sum(1, 1)  --> bad argument #2 to 'sum' (keepdim (a boolean) expected, got number)
x:sum(1, true, 1)  --> sum: too many arguments: 4, at most 3 expected
i:mean()  --> mean: wants floats, got int64
b:mean()  --> mean: wants floats, got bool
gru.zeros(0):max()  --> max: no elements along dim 1 of [0], it has none
gru.zeros(0, 3):max(1)  --> max: no elements along dim 1 of [0, 3], it has none
gru.zeros(0):argmax()  --> argmax: no elements along dim 1 of [0], it has none
x:max({1, 2})  --> max: takes one dim or none, got 2
x:max(1, "a")  --> bad argument #3 to 'max' (keepdim (a boolean) expected, got string)
x:max(x, x)  --> max: of two tensors takes nothing else
x:max(x, true)  --> max: of two tensors takes nothing else
x:max("x")  --> bad argument #2 to 'max' (dim (an integer) expected, got string)
x:softmax()  --> bad argument #1 to 'softmax' (dim (an integer) expected, got nothing)
x:softmax("x")  --> bad argument #1 to 'softmax' (dim (an integer) expected, got string)
x:softmax({1})  --> bad argument #1 to 'softmax' (dim (an integer) expected, got table)
x:softmax(1, 2)  --> softmax: too many arguments: 3, at most 2 expected
i:softmax(1)  --> softmax: wants floats, got int64
gru.tensor(1.0):softmax(2)  --> softmax: dim out of range for a tensor of 0 dims: position 2
x:view()  --> view: [2, 3] has 6 elements, they do not make []
x:view(4)  --> view: [2, 3] has 6 elements, they do not make [4]
x:view("x")  --> view: too many arguments: 2, at most 1 expected
x:view(-1, -1)  --> view: [-1, -1]: sizes must not be negative, but for one -1
x:view(-2)  --> view: [-2]: sizes must not be negative, but for one -1
x:view(1.5)  --> bad argument #1 to 'view' (sizes expected, got number)
x:view({1, {}})  --> bad argument #1 to 'view' (sizes expected, got table)
x:view(-1, 4)  --> view: [2, 3] has 6 elements, they do not make [-1, 4]
x:view(0, -1)  --> view: [2, 3] has 6 elements, they do not make [0, -1]
x:reshape(7)  --> reshape: [2, 3] has 6 elements, they do not make [7]
x:reshape({}, 1)  --> reshape: too many arguments: 3, at most 2 expected
x:view(6, "a")  --> view: too many arguments: 3, at most 2 expected
x:view(1, 1, 1, 1, 1, 1, 1, 1, 6)  --> bad argument #9 to 'view' (at most 8 sizes)
x:t():view(6)  --> view: strides [1, 3] of [3, 2] do not allow [6] without a copy
x:permute()  --> permute: 0 dims named, the tensor has 2
x:permute(1)  --> permute: 1 dims named, the tensor has 2
x:permute(1, 1)  --> permute: dim 1 is named twice
x:permute(1, 3)  --> permute: dim out of range for a tensor of 2 dims: position 3
x:permute(0, 1)  --> bad argument #1 to 'permute' (dim counts from 1, or from -1 backwards, got 0)
x:permute("a")  --> permute: too many arguments: 2, at most 1 expected
x:permute(1, 2, 3)  --> permute: 3 dims named, the tensor has 2
x:transpose()  --> bad argument #1 to 'transpose' (dim (an integer) expected, got nothing)
x:transpose(1)  --> bad argument #2 to 'transpose' (dim (an integer) expected, got nothing)
x:transpose(1, 3)  --> transpose: dim out of range for a tensor of 2 dims: position 3
x:transpose(1, 2, 3)  --> transpose: too many arguments: 4, at most 3 expected
x:select()  --> bad argument #1 to 'select' (dim (an integer) expected, got nothing)
x:select(1)  --> bad argument #2 to 'select' (position (an integer) expected, got nothing)
x:select(1, 0)  --> bad argument #2 to 'select' (position counts from 1, or from -1 backwards,
x:select(1, 3)  --> select: position 3 is outside dim 1 of [2, 3]
x:select(1, -3)  --> select: position -3 is outside dim 1 of [2, 3]
x:select(3, 1)  --> select: dim out of range for a tensor of 2 dims: position 3
x:select(1, 1.5)  --> bad argument #2 to 'select' (position (an integer) expected, got number)
x:squeeze("a")  --> bad argument #1 to 'squeeze' (dim (an integer) expected, got string)
x:squeeze(3)  --> squeeze: dim out of range for a tensor of 2 dims: position 3
x:unsqueeze()  --> bad argument #1 to 'unsqueeze' (dim (an integer) expected, got nothing)
x:unsqueeze(4)  --> unsqueeze: dim out of range for a tensor of 2 dims: position 4
x:unsqueeze(-4)  --> unsqueeze: dim out of range for a tensor of 2 dims: -4
x:unsqueeze(0)  --> bad argument #1 to 'unsqueeze' (dim counts from 1, or from -1 backwards, got
x:expand()  --> expand: [2, 3] does not expand to []
x:expand(2)  --> expand: [2, 3] does not expand to [2]
x:expand(4, 3)  --> expand: [2, 3] does not expand to [4, 3]
x:expand(2, -2)  --> expand: [2, 3] does not expand to [2, -2]
x:expand(-1, 2, 3)  --> expand: [2, 3] does not expand to [-1, 2, 3]
x:clone(1)  --> clone: too many arguments: 2, at most 1 expected
x:contiguous(1)  --> contiguous: too many arguments: 2, at most 1 expected
x:to()  --> to: a dtype or a device expected, got nil
x:to(1)  --> to: a dtype or a device expected, got number
x:to("x")  --> to: device 'x:0'
x:to("cuda:9")  --> to: device 'cuda:9'
x:to("cuda:x")  --> to: device 'cuda:x': expected a name such as "cpu" or "cuda:0"
x:to({})  --> to: a dtype or a device expected, got table
gru.cat()  --> bad argument #1 to 'cat' (table expected, got no value)
gru.cat(x, x)  --> bad argument #1 to 'cat' (table expected, got tensor)
gru.cat({})  --> bad argument #1 to 'cat' (a table of at least one tensor expected)
gru.cat({x, 1})  --> bad argument #1 to 'cat' (element 2 is a number, not a tensor)
gru.cat({x, "a"}, 1)  --> bad argument #1 to 'cat' (element 2 is a string, not a tensor)
gru.cat({x, v})  --> cat: along dim 1 every other size must agree: [2, 3] and [4]
gru.cat({x, x}, 3)  --> cat: dim out of range for a tensor of 2 dims: position 3
gru.cat({x, x}, 0)  --> bad argument #2 to 'cat' (dim counts from 1, or from -1 backwards, got 0)
gru.cat({x, x}, "a")  --> bad argument #2 to 'cat' (dim (an integer) expected, got string)
gru.cat({x, gru.ones(2, 4)}, 1)  --> cat: along dim 1 every other size must agree: [2, 3] and [2, 4]
gru.cat({gru.tensor(1), gru.tensor(2)})  --> cat: 0-d tensors cannot be joined
gru.stack({})  --> bad argument #1 to 'stack' (a table of at least one tensor expected)
gru.stack(x)  --> bad argument #1 to 'stack' (table expected, got tensor)
gru.stack({x, v})  --> stack: all shapes must be equal: [2, 3] and [4]
gru.stack({x, x}, 4)  --> stack: dim out of range for a tensor of 2 dims: position 4
gru.stack({x, x}, 1, 1)  --> stack: too many arguments: 3, at most 2 expected
x:index_select()  --> bad argument #1 to 'index_select' (dim (an integer) expected, got nothing)
x:index_select(1)  --> bad argument #2 to 'index_select' (tensor expected, got nothing)
x:index_select(1, x)  --> index_select: ids must be int64, got float32
x:index_select(1, 1)  --> bad argument #2 to 'index_select' (tensor expected, got number)
x:index_select(3, gru.tensor({1}))  --> index_select: dim out of range for a tensor of 2 dims: position 3
x:index_select(1, gru.tensor({3}))  --> index_select: id 3 at position 1 is outside 1 .. 2
x:index_select(1, gru.tensor({0}))  --> index_select: id 0 at position 1 is outside 1 .. 2
x:index_select(1, gru.tensor({-3}))  --> index_select: id -3 at position 1 is outside 1 .. 2
x:index_select(1, i)  --> index_select: ids must have one dim, got [2, 3]
x:sum():index_select(1, i[1])  --> index_select: a tensor without dims takes one id, got ids [3]
x:index_add(1, gru.tensor({1}), v)  --> index_add: float32 [2, 3] takes no source float32 [4] at ids [1]
x:index_add(1, gru.tensor({3}), gru.ones(1, 3))  --> index_add: id 3 at position 1 is outside 1 .. 2
x:sum():index_add(1, i[1], x:sum())  --> index_add: a tensor without dims takes one id, got ids [3]
x:gather(1, gru.tensor({1}))  --> gather: ids [1] do not fit [2, 3] along dim 1
x:gather(1, i * 3)  --> gather: id 3 at position 1 is outside 1 .. 2
x:gather(3, i)  --> gather: dim out of range for a tensor of 2 dims: position 3
x:gather(1, x)  --> gather: ids must be int64, got float32
x:scatter(1, i * 9, x)  --> scatter: id 9 at position 1 is outside 1 .. 2
x:scatter(1, i, v)  --> scatter: ids [2, 3] do not fit [2, 3] with source [4] along dim 1
x:scatter_add(1, i)  --> scatter_add: a source tensor or a number expected, got nil
x:scatter_add(1, i, i)  --> scatter_add: the source is int64, the tensor float32
gru.one_hot()  --> one_hot: a tensor expected, got nil
gru.one_hot(x, 3)  --> one_hot: int64 ids expected, got float32
gru.one_hot(i, 0)  --> one_hot: expected one class or more of a float dtype, got 0 of float32
gru.one_hot(i * 5, 3)  --> one_hot: id 5 at position 1 is outside 1 .. 3
gru.one_hot(i, "a")  --> bad argument #2 to 'one_hot' (count (an integer) expected, got string)
gru.one_hot(i, 1.5)  --> bad argument #2 to 'one_hot' (count (an integer) expected, got number)
gru.embedding(x, x)  --> embedding: ids must be int64, got float32
gru.embedding(x, i * 3)  --> embedding: id 3 at position 1 is outside 1 .. 2
gru.embedding(v, i)  --> embedding: weight must be (V, E), got [4] with ids [2, 3]
x:narrow()  --> bad argument #1 to 'narrow' (dim (an integer) expected, got nothing)
x:narrow(1)  --> bad argument #2 to 'narrow' (position (an integer) expected, got nothing)
x:narrow(1, 1)  --> bad argument #3 to 'narrow' (length (an integer) expected, got nothing)
x:narrow(1, 1, 3)  --> narrow: 1 to 3 by 1 is not in dim 1 of [2, 3]
x:narrow(1, 0, 1)  --> bad argument #2 to 'narrow' (position counts from 1, or from -1 backwards,
x:narrow(3, 1, 1)  --> narrow: dim out of range for a tensor of 2 dims: position 3
x:narrow(1, 3, 1)  --> narrow: 3 to 3 by 1 is not in dim 1 of [2, 3]
x:narrow(1, -3, 2)  --> narrow: position -3 is outside dim 1 of size 2
x:narrow(1, 1, -1)  --> narrow: 1 to -1 by 1 is not in dim 1 of [2, 3]
x:narrow(1, 1, 1, 1)  --> narrow: too many arguments: 5, at most 4 expected
x:narrow(1, "a", 1)  --> bad argument #2 to 'narrow' (position (an integer) expected, got string)
x:narrow(1, -3, 1)  --> narrow: position -3 is outside dim 1 of size 2
x:flip("a")  --> flip: dims must be integers, number 1 is a
x:flip(3)  --> flip: dim 3 of a tensor with 2 dims
v:fliplr()  --> flip: dim 2 of a tensor with 1 dims
x:roll()  --> roll: as many dims as shifts are wanted
x:roll("a")  --> roll: shifts must be integers, number 1 is a
x:roll(1, 5)  --> roll: dim 5 of a tensor with 2 dims
x:roll({1, 2})  --> roll: as many dims as shifts are wanted
x:roll({1, 2}, 1)  --> roll: 2 shifts for 1 dims
x:roll(1.5)  --> roll: shifts must be integers, number 1 is 1.5
x:swapaxes(1)  --> bad argument #3 to 'transpose' (dim (an integer) expected, got nothing)
x:swapaxes(1, 5)  --> transpose: dim out of range for a tensor of 2 dims: position 5
x:swapdims("a", 1)  --> bad argument #2 to 'transpose' (dim (an integer) expected, got string)
x:movedim(1)  --> movedim: 1 dims to 0 places
x:movedim(1, 5)  --> movedim: dim 5 of a tensor with 2 dims
x:movedim({1, 1}, {1, 2})  --> movedim: dim 1 is named twice
x:movedim({1, 2}, 1)  --> movedim: 2 dims to 1 places
x:moveaxis("a", 1)  --> movedim: dims must be integers, number 1 is a
x:unflatten()  --> unflatten: a dim expected, got nil
x:unflatten(1)  --> unflatten: sizes [] do not make dim 1 of size 2
x:unflatten(2, {2, 2})  --> unflatten: sizes [2, 2] do not make dim 2 of size 3
x:unflatten(5, {2})  --> unflatten: dim 5 of a tensor with 2 dims
x:unflatten(1, "a")  --> unflatten: sizes must be integers, number 1 is a
x:unflatten(2, {-1, -1})  --> reshape: [2, 3] has 6 elements, they do not make [2, 3, 3]
x:repeat_()  --> repeat_: 0 counts for 2 dims
x:repeat_(1)  --> repeat_: 1 counts for 2 dims
x:repeat_(-1, 1)  --> repeat_: counts must not be negative, got -1
x:repeat_("a")  --> repeat_: counts must be integers, number 1 is a
x:tile("a")  --> tile: counts must be integers, number 1 is a
x:tile(1.5)  --> tile: counts must be integers, number 1 is 1.5
x:repeat_interleave()  --> repeat_interleave: a count, or an int64 tensor of 6 counts expected, got nil
x:repeat_interleave("a")  --> repeat_interleave: a count, or an int64 tensor of 6 counts expected, got a
x:repeat_interleave(-1)  --> repeat_interleave: a count, or an int64 tensor of 6 counts expected, got -1
x:repeat_interleave(2, 5)  --> repeat_interleave: dim 5 of a tensor with 2 dims
x:repeat_interleave(x, 1)  --> repeat_interleave: a count, or an int64 tensor of 2 counts expected, got
x:repeat_interleave(gru.tensor({1, 2, 3}), 1)  --> repeat_interleave: a count, or an int64 tensor of 2
x:repeat_interleave(gru.tensor({1, -2}), 1)  --> repeat_interleave: a count, or an int64 tensor of 2 counts
x:broadcast_to()  --> expand: [2, 3] does not expand to []
x:broadcast_to(4)  --> expand: [2, 3] does not expand to [4]
x:broadcast_to("a")  --> expand: too many arguments: 2, at most 1 expected
v:tril()  --> tril: two dims or more expected, got 1
x:tril("a")  --> tril: the diagonal must be an integer, got a
x:tril(1.5)  --> tril: the diagonal must be an integer, got 1.5
gru.triu(1)  --> triu: a tensor expected, got number
x:triu({})  --> triu: the diagonal must be an integer, got
gru.diag()  --> diag: a tensor expected, got nil
gru.diag(gru.ones(2, 2, 2))  --> diag: one dim or two expected, got 3
x:diag("a")  --> diag: the diagonal must be an integer, got a
v:trace()  --> trace: two dims expected, got 1
gru.trace(1)  --> trace: a tensor expected, got number
gru.meshgrid()  --> meshgrid: a table of vectors expected
gru.meshgrid(1)  --> meshgrid: a table of vectors expected
gru.meshgrid({1})  --> meshgrid: a tensor expected, got number
gru.meshgrid({x})  --> meshgrid: vectors expected, number 1 is none
gru.meshgrid({v}, {indexing = "a"})  --> meshgrid: indexing must be "ij" or "xy", got a
gru.meshgrid({v}, 1)  --> meshgrid: options must be a table, got number
x:sort(5)  --> sort: dim out of range for a tensor of 2 dims: position 5
x:sort("a")  --> bad argument #2 to 'sort' (dim (an integer) expected, got string)
x:sort({foo = 1})  --> sort: unknown option 'foo'
x:sort(1, 1)  --> bad argument #3 to 'sort' (boolean expected, got number)
gru.sort()  --> sort: a tensor expected, got nil
x:argsort(7)  --> sort: dim out of range for a tensor of 2 dims: position 7
x:argsort("a")  --> bad argument #2 to 'sort' (dim (an integer) expected, got string)
x:topk()  --> bad argument #2 to 'topk' (count (an integer) expected, got nothing)
x:topk("a")  --> bad argument #2 to 'topk' (count (an integer) expected, got string)
x:topk(9)  --> topk: 9 elements of dim 2 of [2, 3], which has 3
x:topk(-1)  --> topk: a count of elements expected, got -1
x:topk(1, 5)  --> topk: dim out of range for a tensor of 2 dims: position 5
x:topk(1.5)  --> bad argument #2 to 'topk' (count (an integer) expected, got number)
x:kthvalue()  --> kthvalue: k must be in 1 .. 3, got nil
x:kthvalue(0)  --> kthvalue: k must be in 1 .. 3, got 0
x:kthvalue(9)  --> kthvalue: k must be in 1 .. 3, got 9
x:kthvalue(1, 5)  --> kthvalue: dim 5 of a tensor with 2 dims
x:kthvalue("a")  --> kthvalue: k must be in 1 .. 3, got a
gru.searchsorted()  --> searchsorted: a tensor expected, got nil
gru.searchsorted(v)  --> bad argument #2 to 'searchsorted' (tensor expected, got nothing)
gru.searchsorted(v, "a")  --> bad argument #2 to 'searchsorted' (tensor expected, got string)
gru.searchsorted(v, v, 1)  --> bad argument #3 to 'searchsorted' (boolean expected, got number)
gru.searchsorted(x, v)  --> searchsorted: the sequence must have one dim, or all but the last of those of
gru.searchsorted(1, v)  --> searchsorted: a tensor expected, got number
gru.bucketize()  --> bucketize: a tensor expected, got nil
gru.bucketize(v, 1)  --> bucketize: a tensor expected, got number
gru.bucketize("a", v)  --> bucketize: a tensor or a number expected, got string
gru.unique()  --> unique: a tensor expected, got nil
gru.unique(1)  --> unique: a tensor expected, got number
x:unique(1)  --> unique: options must be a table, got number
x:unique({foo = 1})  --> unique: unknown option 'foo'
gru.bincount()  --> bincount: a tensor expected, got nil
gru.bincount(x)  --> bincount: int64 ids of one dim expected, got float32 of 2 dims
gru.bincount(i)  --> bincount: int64 ids of one dim expected, got int64 of 2 dims
gru.bincount(gru.tensor({1, 2}), v)  --> index_add: float32 [2] takes no source float32 [4] at ids [2]
gru.bincount(gru.tensor({1, 2}), 1)  --> bincount: weights must be a tensor, got number
gru.bincount(gru.tensor({0, 1}))  --> index_add: id 0 at position 1 is outside 1 .. 1
gru.bincount(gru.tensor({1, 2}), nil, "a")  --> bincount: minlength must be an integer from 0 on, got a
gru.multinomial()  --> multinomial: a tensor expected, got nil
gru.multinomial(1, 1)  --> multinomial: a tensor expected, got number
gru.multinomial(v)  --> multinomial: a number of samples expected, got nil
gru.multinomial(v, 0)  --> multinomial: a number of samples expected, got 0
gru.multinomial(v, 1.5)  --> multinomial: a number of samples expected, got 1.5
gru.multinomial(v, 9)  --> multinomial: 9 samples without replacement, but only 4 weights are above 0
gru.multinomial(i, 1)  --> multinomial: wants floats, got int64
gru.multinomial(-v, 1)  --> multinomial: weights must be finite and not negative
gru.multinomial(v * 0, 1)  --> multinomial: a row of weights is all 0
gru.multinomial(v, 1, {foo = 1})  --> multinomial: unknown option 'foo'
gru.multinomial(gru.ones(2, 2, 2), 1)  --> multinomial: weights (n) or (rows, n) expected, got [2, 2, 2]
gru.bernoulli()  --> bernoulli: a tensor expected, got nil
gru.bernoulli(1)  --> bernoulli: a tensor expected, got number
gru.bernoulli(i)  --> bernoulli: wants floats, got int64
gru.bernoulli(v * 2)  --> bernoulli: chances lie in 0 .. 1
x:take()  --> take: int64 ids expected, got nil
x:take(1)  --> take: int64 ids expected, got number
x:take(x)  --> take: int64 ids expected, got float32
x:take(i * 9)  --> index_select: id 9 at position 1 is outside 1 .. 6
x:index_fill()  --> index_fill: int64 ids expected, got nil
x:index_fill(1)  --> index_fill: int64 ids expected, got nil
x:index_fill(1, gru.tensor({1}))  --> bad argument #1 to 'fill_' (tensor or number expected, got nothing)
x:index_fill(1, gru.tensor({3}), 1)  --> scatter: id 3 at position 1 is outside 1 .. 2
x:index_fill(1, gru.tensor({1}), "a")  --> bad argument #1 to 'fill_' (tensor or number expected, got
x:index_fill(5, gru.tensor({1}), 1)  --> index_fill: dim 5 of a tensor with 2 dims
x:index_fill(1, x, 1)  --> index_fill: int64 ids expected, got float32
x:index_fill(1, gru.tensor({1}), v)  --> index_fill: one value expected
x:index_copy()  --> index_copy: int64 ids expected, got nil
x:index_copy(1, gru.tensor({1}))  --> index_copy: a source tensor expected, got nil
x:index_copy(1, gru.tensor({1}), v)  --> index_copy: [2, 3] takes no source [4] at 1 ids along dim 1
x:index_copy(1, gru.tensor({3}), gru.ones(1, 3))  --> scatter: id 3 at position 1 is outside 1 .. 2
x:index_copy("a", gru.tensor({1}), gru.ones(1, 3))  --> index_copy: dim a of a tensor with 2 dims
x:masked_scatter()  --> masked_scatter: a bool mask expected
x:masked_scatter(1, v)  --> masked_scatter: a bool mask expected
x:masked_scatter(b)  --> masked_scatter: source: a tensor expected, got nil
x:masked_scatter(b, 1)  --> masked_scatter: source: a tensor expected, got number
x:masked_scatter(b, v)  --> masked_scatter: 4 elements for 6 true ones of the mask
x:masked_scatter(x, x)  --> masked_scatter: a bool mask expected
gru.masked_scatter(1, b, x)  --> masked_scatter: a tensor expected, got number
gru.where()  --> bad argument #1 to 'where' (tensor or number expected, got nothing)
gru.where(1, 2, 3)  --> bad argument #1 to 'where' (tensor expected, got number)
gru.where("a", x, x)  --> bad argument #1 to 'where' (tensor or number expected, got string)
gru.where(b, "a", x)  --> bad argument #2 to 'where' (tensor or number expected, got string)
x:amax("a")  --> bad argument #1 to 'amax' (dim (an integer) expected, got string)
x:amax(5)  --> amax: dim out of range for a tensor of 2 dims: position 5
x:amin(0)  --> bad argument #1 to 'amin' (dim counts from 1, or from -1 backwards, got 0)
x:amax({1, 1})  --> amax: dim 1 is named twice
x:cumsum()  --> bad argument #1 to 'cumsum' (dim (an integer) expected, got nothing)
x:cumsum(5)  --> cumsum: dim out of range for a tensor of 2 dims: position 5
x:cumsum("a")  --> bad argument #1 to 'cumsum' (dim (an integer) expected, got string)
x:cumprod(0)  --> bad argument #1 to 'cumprod' (dim counts from 1, or from -1 backwards, got 0)
x:cumprod()  --> bad argument #1 to 'cumprod' (dim (an integer) expected, got nothing)
x:median("a")  --> bad argument #1 to 'median' (dim (an integer) expected, got string)
x:median(5)  --> median: dim out of range for a tensor of 2 dims: position 5
gru.median(1)  --> bad argument #1 to 'median' (tensor expected, got number)
x:count_nonzero("a")  --> bad argument #1 to 'sum' (dim (an integer) expected, got string)
gru.count_nonzero(1)  --> count_nonzero: a tensor expected, got number
gru.count_nonzero()  --> count_nonzero: a tensor expected, got nil
x:nansum(7)  --> sum: dim out of range for a tensor of 2 dims: position 7
i:nansum()  --> nansum: wants floats, got int64
gru.nansum()  --> nansum: a tensor expected, got nil
x:var_mean("a")  --> bad argument #1 to 'mean' (dim (an integer) expected, got string)
i:var_mean()  --> var_mean: wants floats, got int64
x:std_mean(9)  --> mean: dim out of range for a tensor of 2 dims: position 9
gru.std_mean(1)  --> std_mean: a tensor expected, got number
x:var({foo = 1})  --> var: unknown option 'foo'
x:norm("nuc")  --> norm: p must be a number or "fro", got nuc
x:norm({foo = 1})  --> norm: unknown option 'foo'
gru.isclose()  --> isclose: a tensor expected, got nil
gru.isclose(x, 1)  --> isclose: a tensor expected, got number
gru.isclose(x, x, "a")  --> isclose: rtol must be a number, got string
gru.isclose(x, x, {foo = 1})  --> isclose: unknown option 'foo'
gru.isclose(x, v)  --> sub: shapes do not broadcast: [2, 3] and [4]
gru.log2()  --> log2: a tensor expected, got nil
gru.log2("a")  --> log2: a tensor expected, got string
gru.log10({})  --> log10: a tensor expected, got table
gru.log10(1)  --> log10: a tensor expected, got number
gru.tan()  --> bad argument #1 to 'tan' (tensor or number expected, got nothing)
gru.tan("a")  --> bad argument #1 to 'tan' (tensor or number expected, got string)
gru.baddbmm()  --> baddbmm: a tensor expected, got nil
gru.baddbmm(x, x, x)  --> bmm: wants 3 and 3 dims, got [2, 3] x [2, 3]
gru.addmv(v, x, x)  --> mv: wants 2 and 1 dims, got [2, 3] x [2, 3]
gru.addmv(v, x, v)  --> matmul: inner sizes differ: [2, 3] x [4]
x:index_add_(1, gru.tensor({9}), gru.ones(1, 3))  --> index_add: id 9 at position 1 is outside 1 .. 2
x:scatter_(1, x, 1)  --> scatter: ids must be int64, got float32
x:clamp_("a")  --> bad argument #2 to 'clamp' (tensor or number expected, got string)
x:cumsum_(9)  --> cumsum: dim out of range for a tensor of 2 dims: position 9
x:tril_("a")  --> tril: the diagonal must be an integer, got a
x:masked_scatter_(1, 1)  --> masked_scatter: a bool mask expected
x:sub_("a")  --> bad argument #1 to 'sub_' (tensor or number expected, got string)
x:pow()  --> bad argument #1 to 'pow' (tensor or number expected, got nothing)
x:pow("a")  --> bad argument #1 to 'pow' (tensor or number expected, got string)
i // 0  --> floor_divide: int64 division by zero
i % 0  --> remainder: int64 division by zero
i:floor_divide(0)  --> floor_divide: int64 division by zero
i:remainder(0)  --> remainder: int64 division by zero
x:lerp(x)  --> bad argument #2 to 'lerp' (tensor or number expected, got nothing)
i:lerp(i, 0.5)  --> lerp: wants floats, got int64; convert with :float()
x:lerp(i, 0.5)  --> lerp: wants floats, got int64
x:lerp(b, x)  --> lerp: wants floats, got bool
"a" + x  --> bad argument #1 to 'add' (tensor or number expected, got string)
x - "a"  --> bad argument #2 to 'sub' (tensor or number expected, got string)
pcall(gru.add, x) or error((select(2, pcall(gru.add, x))))  --> bad argument #2 to 'add' (tensor or number
x.requires_grad = 1  --> requires_grad: boolean expected, got number
x.requires_grad = nil  --> requires_grad: boolean expected, got nothing
x.grad = 1  --> grad: tensor or nil expected, got number
x:std(1, true, 1, 2)  --> std: too many arguments: 5, at most 4 expected
x:var_mean(1, true, 1, 2)  --> var_mean: too many arguments: 5, at most 4 expected
x:norm(2, 1, true, {keepdim = true})  --> norm: too many arguments: 5, at most 4 expected
x:chunk(1, 2, 3)  --> chunk: too many arguments: 4, at most 3 expected
x:float("cuda")  --> float: too many arguments: 2, at most 1 expected
x:t(1)  --> t: too many arguments: 2, at most 1 expected
x:where(x, x, x)  --> where: too many arguments: 4, at most 3 expected
gru.tensor(1, {dtype = "int64"}, {device = "cpu"})  --> tensor: too many arguments: 3, at most 2 expected
gru.full({2}, 1, {}, {})  --> full: too many arguments: 4, at most 3 expected
gru.autograd.grad(x, x, {}, {})  --> grad: too many arguments: 4, at most 3 expected
F.cross_entropy(x, i, {}, {})  --> cross_entropy: too many arguments: 4, at most 3 expected
F.gelu(x, "tanh", 1)  --> gelu: too many arguments
nn.init.uniform_(x, 0, 1, 2)  --> uniform_: too many arguments
nn.utils.clip_grad_norm_({w}, 1, {}, {})  --> clip_grad_norm_: too many arguments
x:lerp(x, "a")  --> bad argument #2 to 'lerp' (tensor or number expected, got string)
gru.hstack({})  --> hstack: a table of at least one tensor expected
gru.vstack({x, 1})  --> vstack: a table of tensors expected, element 2 is a number
gru.broadcast_tensors({x, v})  --> broadcast_tensors: shapes do not broadcast: [2, 3] and [4]
x:diagonal(0, 1, 1)  --> diagonal: dim 1 is named twice
x:diagonal(0, 1, 3)  --> diagonal: dim 3 of a tensor with 2 dims
x:diagonal(0.5)  --> diagonal: the offset must be an integer, got 0.5
v:diagonal()  --> diagonal: dim 2 of a tensor with 1 dims
x:diff(-1)  --> diff: an order from 0 on expected, got -1
gru.tensor(1.0):diff()  --> diff: a 0-d tensor has no neighbours
gru.tril_indices(2)  --> tril_indices: sizes expected, got nil
gru.triu_indices(2, 2, 0.5)  --> triu_indices: the offset must be an integer, got 0.5
i:logaddexp(i)  --> logaddexp: wants floats, got int64
x:nan_to_num("a")  --> nan_to_num: nan must be a number, got string
x:clamp_min()  --> clamp: a lowest or a highest value expected
x:index_put_(i, 1)  --> index_put_: a table of ids expected, got userdata
x:index_put_({i}, "a")  --> index_put_: a number or a tensor expected, got string
x:std(false)  --> std: a dim expected, got a boolean; {unbiased = false} is an option
x:var_mean(true)  --> var_mean: a dim expected, got a boolean
x:ravel(1)  --> ravel: too many arguments: 2, at most 1 expected
]==]
