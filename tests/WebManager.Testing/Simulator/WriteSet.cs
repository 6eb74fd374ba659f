// The numbers of the writes that a disk copy holds, as bits.
using System.Numerics;

namespace WebManager.Testing.Simulator;

public sealed class WriteSet
{
    private ulong[] _words = new ulong[8];

    public int Count => _words.Sum(w => BitOperations.PopCount(w));

    public void Add(int n)
    {
        Grow(n / 64 + 1);
        _words[n / 64] |= 1UL << (n % 64);
    }

    public void Remove(int n)
    {
        if (n / 64 < _words.Length) _words[n / 64] &= ~(1UL << (n % 64));
    }

    public bool Contains(int n) => n / 64 < _words.Length && (_words[n / 64] & (1UL << (n % 64))) != 0;

    public void UnionWith(WriteSet other)
    {
        Grow(other._words.Length);
        for (var i = 0; i < other._words.Length; i++) _words[i] |= other._words[i];
    }

    public WriteSet Clone() => new() { _words = (ulong[])_words.Clone() };

    public void Clear() => Array.Clear(_words);

    public bool ContainsAll(WriteSet other)
    {
        for (var i = 0; i < other._words.Length; i++)
        {
            if ((other._words[i] & ~(i < _words.Length ? _words[i] : 0)) != 0) return false;
        }

        return true;
    }

    public bool SameAs(WriteSet other) => ContainsAll(other) && other.ContainsAll(this);

    public IReadOnlyList<int> Without(WriteSet other)
    {
        List<int> left = [];
        for (var i = 0; i < _words.Length; i++)
        {
            for (var bits = _words[i] & ~(i < other._words.Length ? other._words[i] : 0); bits != 0; bits &= bits - 1) left.Add(i * 64 + BitOperations.TrailingZeroCount(bits));
        }

        return left;
    }

    private void Grow(int words)
    {
        if (words > _words.Length) Array.Resize(ref _words, Math.Max(words, _words.Length * 2));
    }
}

/// <summary>One node's copy of an instance's disks. What was not flushed may be gone after a power loss.</summary>
public sealed class SimCopy
{
    public WriteSet Content { get; private set; } = new();
    public WriteSet Stable { get; private set; } = new();

    /// <summary>What power losses of this node took from it.</summary>
    public WriteSet LostToPower { get; } = new();

    /// <summary>A full copy onto this one has begun and not ended: it holds parts of both.</summary>
    public bool Torn { get; set; }

    public void Write(int n) => Content.Add(n);

    public void Flush() => Stable.UnionWith(Content);

    public void Adopt(SimCopy from)
    {
        Content = from.Content.Clone();
        Stable = Content.Clone();
        Torn = false;
    }

    public void LosePower(Random random)
    {
        foreach (var n in Content.Without(Stable))
        {
            if (random.Next(2) == 0) continue;
            Content.Remove(n);
            LostToPower.Add(n);
        }

        Stable = Content.Clone();
    }
}
