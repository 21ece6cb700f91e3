using IoTMesh.Gateway.Live;
using IoTMesh.Gateway.Pages;

namespace IoTMesh.Gateway.Tests.Pages;

/// <summary>Where nodes stand, and that they stay there.</summary>
public sealed class MapLayoutTests
{
    private readonly HandTime _time = new();

    [Fact]
    public void A_grid_is_drawn_as_a_grid_with_the_gateway_at_the_upper_left()
    {
        var mesh = new ScriptedMesh(16);
        IReadOnlyDictionary<ushort, Point> places = LayoutOf(mesh).Update(mesh.Current).Places;
        foreach (LinkView link in mesh.Current.Links)
        {
            Point step = places[link.From] - places[link.To];
            Assert.InRange(step.Length, 0.6, 1.4);
            Assert.True(Math.Min(Math.Abs(step.X), Math.Abs(step.Y)) < 0.35, $"{link.From} to {link.To} runs aslant: {step}");
        }

        Assert.True(places[1].X <= places.Values.Min(p => p.X) + 0.3 && places[1].Y <= places.Values.Min(p => p.Y) + 0.3);
    }

    [Fact]
    public void The_same_mesh_is_drawn_alike_each_time()
    {
        var mesh = new ScriptedMesh();
        Assert.Equal(LayoutOf(mesh).Update(mesh.Current).Places, LayoutOf(mesh).Update(mesh.Current).Places);
    }

    [Fact]
    public void Deaths_and_new_routes_move_nothing()
    {
        var mesh = new ScriptedMesh();
        MapLayout layout = LayoutOf(mesh);
        IReadOnlyDictionary<ushort, Point> before = layout.Update(mesh.Current).Places;
        foreach (int victim in new[] { 1, 5, 6, 12 })
        {
            mesh.Kill(victim);
            Assert.Equal(before, layout.Update(mesh.Current).Places);
            mesh.Start(victim);
            Assert.Equal(before, layout.Update(mesh.Current).Places);
        }
    }

    [Fact]
    public void A_new_node_comes_beside_its_neighbor_and_the_others_hardly_move()
    {
        var mesh = new ScriptedMesh(16);
        MapLayout layout = LayoutOf(mesh);
        MeshView all = mesh.Current;
        MeshView without = all with
        {
            Version = 1,
            Nodes = [.. all.Nodes.Where(n => n.Address != 16)],
            Links = [.. all.Links.Where(l => l.From != 16 && l.To != 16)],
        };
        IReadOnlyDictionary<ushort, Point> before = layout.Update(without).Places;
        _time.Advance(TimeSpan.FromMinutes(1));
        IReadOnlyDictionary<ushort, Point> after = layout.Update(all with { Version = 2 }).Places;

        Assert.All(before, place => Assert.InRange((after[place.Key] - place.Value).Length, 0, 0.5));
        Assert.InRange((after[16] - after[15]).Length, 0.6, 1.6);
        Assert.InRange((after[16] - after[12]).Length, 0.6, 1.6);
    }

    [Fact]
    public void Nodes_without_links_get_places_of_their_own_and_too_few_nodes_do_no_harm()
    {
        var mesh = new ScriptedMesh(16);
        MeshView all = mesh.Current;
        MeshView cut = all with { Links = [], Nodes = [.. all.Nodes.Select(n => n with { Parent = 0 })] };
        IReadOnlyDictionary<ushort, Point> places = LayoutOf(mesh).Update(cut).Places;
        Assert.Equal(16, places.Values.Distinct().Count());
        Assert.All(places.Values, p => Assert.True(double.IsFinite(p.X) && double.IsFinite(p.Y)));
        Assert.Empty(LayoutOf(mesh).Update(cut with { Nodes = [] }).Places);

        MeshView single = cut with { Nodes = [all.Nodes[0]] };
        MapScene scene = MapScene.Build(single, LayoutOf(mesh).Update(single), 400, 300);
        Assert.InRange(scene.Nodes.Single().At.X, 50, 350);
        Assert.InRange(scene.Nodes.Single().At.Y, 50, 250);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(30)]
    public void A_mesh_that_forms_node_by_node_ends_as_a_good_drawing(double secondsApart)
    {
        var mesh = new ScriptedMesh(16);
        MeshView all = mesh.Current;
        MapLayout layout = LayoutOf(mesh);
        IReadOnlyDictionary<ushort, Point> places = layout.Update(all with { Version = 1, Nodes = [all.Nodes[0]], Links = [] }).Places;
        for (int known = 2; known <= 16; known++)
        {
            _time.Advance(TimeSpan.FromSeconds(secondsApart));
            places = layout.Update(all with
            {
                Version = known,
                Nodes = [.. all.Nodes.Take(known)],
                Links = [.. all.Links.Where(l => l.From <= known && l.To <= known)],
            }).Places;
        }

        Assert.All(all.Links, link => Assert.InRange((places[link.From] - places[link.To]).Length, 0.6, 1.5));
    }

    [Fact]
    public void Parts_that_no_link_joins_do_not_lie_on_each_other()
    {
        var mesh = new ScriptedMesh(16);
        MeshView all = mesh.Current;
        MapLayout layout = LayoutOf(mesh);
        MeshView split = all with
        {
            Version = 1,
            Nodes = [.. all.Nodes.Select(n => n with { Parent = 0 })],
            Links = [.. all.Links.Where(l => l.From <= 8 == l.To <= 8 && l.From != 16 && l.To != 16)],
        };
        for (int version = 1; version <= 3; version++)
        {
            // Each time with a link less to look at: what has a place keeps it.
            MeshView now = split with { Version = version, Links = [.. split.Links.Skip(version)] };
            IReadOnlyDictionary<ushort, Point> places = layout.Update(now).Places;
            foreach ((ushort a, ushort b) in from a in places.Keys from b in places.Keys where a < b select (a, b))
            {
                Assert.True((places[a] - places[b]).Length > 0.6, $"{a} and {b} lie on each other");
            }
        }
    }

    [Fact]
    public void Labels_keep_off_links_nodes_and_each_other_where_there_is_room()
    {
        Point[] line = [.. Enumerable.Range(0, 8).Select(i => new Point(60 + (75 * i), 100))];
        LabelSlot[] slots = LabelPlacement.Place(
            line, [.. line.Select(_ => 60.0)], [.. Enumerable.Range(0, 7).Select(i => (i, i + 1))], radius: 17, frameWidth: 700, frameHeight: 200);
        Assert.All(slots[..^1], slot => Assert.Equal("middle", slot.Anchor));

        Point[] atTheRim = [new(680, 100)];
        Assert.Equal("end", LabelPlacement.Place(atTheRim, [60], [], 17, 700, 118)[0].Anchor);
    }

    private MapLayout LayoutOf(ILiveView mesh) => new(mesh, _time);
}
