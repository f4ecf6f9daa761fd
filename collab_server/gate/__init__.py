"""The gate: what strangers send is read here, byte for byte, before yrs or a JSON consumer sees any of it.

yrs trusts its input: counts become allocations, strings are taken as UTF-8 unchecked, nesting becomes recursion, clocks
wrap at 32 bits. So everything that reaches it has been read to the last byte by these modules first. Pure functions, no
I/O, no clock. What the gate cannot know, because it does not hold the document, is said in `update`.
"""
